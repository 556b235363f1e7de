"""Render both editions of the book, the Chinese one below `zh/`: `python -m tools.site FOLDER`.

Both at the same time, and from nothing, since a page that has not changed would not repeat its warnings. Each
warning is an error.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import translation

OPTIONS = ("--warningiserror", "--nitpick", "--keep-going")


def render(folder: Path) -> int:
    """Render both editions into a folder, which then holds nothing else; return 0 if there was no warning.

    What the renderers say is printed, first of the English edition, then of the Chinese one.
    """
    work = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(work, ignore_errors=True)
    translation.write(work / "zh-source")
    command, runs = str(Path(sys.executable).with_name("jupyter-book")), []
    for name, source in (("en", translation.ROOT), ("zh", work / "zh-source")):
        log = (work / f"{name}.log").open("w+b")
        build = [command, "build", str(source), "--path-output", str(work / name), *OPTIONS]
        speaks = {**os.environ, "D2LCONV_LANG": name}  # what the package says on the pages
        runs.append((subprocess.Popen(build, stdout=log, stderr=subprocess.STDOUT, env=speaks), log))
    code = 0
    for run, log in runs:
        code = run.wait() or code
        log.seek(0)
        sys.stdout.write(log.read().decode("utf-8", "replace"))
        log.close()
    english, chinese = (work / name / "_build" / "html" for name in ("en", "zh"))
    if english.is_dir() and chinese.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        chinese.rename(english / "zh")
        english.rename(folder)
    shutil.rmtree(work)
    return code


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("_build/html"))
    return render(parser.parse_args().folder)


if __name__ == "__main__":
    sys.exit(main())
