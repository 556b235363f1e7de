"""Cut the theme's icon fonts down to the icons that its style sheet still names.

Nothing here knows Sphinx; `lean_styles.py` connects it to the book.

The theme brings Font Awesome twice, as a script of 530 KiB and as fonts of 300 KiB, for some twenty icons.
"""

import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

_FACE = re.compile(r'@font-face\s*\{[^{}]*?Font Awesome[^{}]*?url\(\s*"?([^"()]+\.ttf)"?\s*\)[^{}]*\}')
_SOURCES = re.compile(r"src:[^;}]+")
_ESCAPED = re.compile(r"\\([ef][0-9a-f]{3})(?![0-9a-f])", re.IGNORECASE)
_PLAIN = re.compile("[\ue000-\uf8ff]")


def icons_in(css: str) -> set[int]:
    r"""Return the icons that a style sheet names, escaped or not, as code points.

    >>> sorted(icons_in('.a::before{content:"\\f135"} :root{--b:"\\F058"} p{quotes:"\\2014" "\uf00d"}'))
    [61453, 61528, 61749]
    """
    return {int(point, 16) for point in _ESCAPED.findall(css)} | set(map(ord, _PLAIN.findall(css)))


def cut(source: Path, target: Path, points: set[int]) -> bool:
    """Write a font with some characters of another; return whether it has any of them.

    Parameters
    ----------
    source
        A TrueType font.
    target
        Where to write; as WOFF, which needs no further library.
    points
        Characters that are wanted.
    """
    font = TTFont(source, recalcTimestamp=False)
    found = points & set(font.getBestCmap())
    if found:
        options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=found)
        cutter.subset(font)
        font.flavor = "woff"
        font.save(target)
    return bool(found)


def cut_icons(css: str, folder: Path) -> str:
    """Cut the icon fonts of a style sheet.

    Parameters
    ----------
    css
        The style sheet; addresses in it are relative to `folder`.
    folder
        Where the fonts are, and where the small ones are written.

    Returns
    -------
    str
        The style sheet with the small fonts. A font without any icon that is named is gone from it.
    """
    points = icons_in(css)

    def small(face: re.Match[str]) -> str:
        source = folder / face[1]
        target = folder / f"icons-{source.stem}.woff"
        if not cut(source, target, points):
            return ""
        return _SOURCES.sub(f'src:url("{target.name}") format("woff")', face[0])

    return _FACE.sub(small, css)
