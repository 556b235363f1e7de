"""The photographs are the stored pixels, small, sharp and documented."""

import hashlib
from importlib import resources

import numpy as np
import pytest
import torch
from PIL import Image

from d2lconv.data import load_photograph

ASSETS = resources.files("d2lconv") / "assets"

# What the script in LICENSE-photographs made: shape, and the SHA-256 sum of the decoded bytes. Colours are
# stored as sharp as brightness, so that no decoder has anything to interpolate.
PHOTOGRAPHS = {
    "bricks": ((1, 256, 256), "e28a87a6a192e055f42bdde2f7260fe917e77eb55660eed58877a56e296d8865"),
    "coffee": ((3, 200, 300), "04ecf6dfdae65d8b12991ecd145b0fe93899f510e1168c23afe93252cf29083c"),
    "raccoon": ((3, 240, 320), "f8acd428dc6154dfaa8f1585f291e3ce7005fa5ff9bf40d04a795088eca0a385"),
    "stairs": ((1, 256, 256), "eb4b831026344b7e619eecdbf250500eee75d0df7f9d5676c99f4b88aefcce90"),
}


@pytest.mark.parametrize(("name", "expected"), PHOTOGRAPHS.items())
def test_the_pixels(name, expected):
    image = load_photograph(name)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    stored = (image * 255).round()
    torch.testing.assert_close(image, stored / 255, rtol=0, atol=0)
    channels_last = stored.movedim(0, 2).to(torch.uint8).contiguous().numpy()
    assert (tuple(image.shape), hashlib.sha256(channels_last.tobytes()).hexdigest()) == expected


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_red_is_the_first_channel(name):
    with (ASSETS / f"{name}.jpg").open("rb") as file, Image.open(file) as stored:
        colours = np.asarray(stored.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(load_photograph(name).expand(3, -1, -1).mul(255).round().numpy(), colours)


def test_every_photograph_is_small_and_has_its_licence():
    licence = (ASSETS / "LICENSE-photographs").read_text(encoding="utf-8")
    files = {path.name for path in ASSETS.iterdir() if path.name.endswith(".jpg")}
    assert files == {f"{name}.jpg" for name in PHOTOGRAPHS}
    for file in files:
        assert len((ASSETS / file).read_bytes()) <= 60 * 1024
        assert f"\n{file} " in licence
    for words in ("CC0 1.0", "Public domain", "scikit-image", "SciPy", "Rachel Michetti", "What was changed"):
        assert words in licence


def test_the_documented_table():
    documented = load_photograph.__doc__ or ""
    for name, (shape, _) in PHOTOGRAPHS.items():
        assert f'``"{name}"``'.ljust(16) + f"``{shape}``" in documented


def test_every_call_gives_a_new_tensor():
    first = load_photograph("coffee")
    expected = first.clone()
    first.zero_()
    assert torch.equal(load_photograph("coffee"), expected)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("zebra", ValueError, "name must be one of 'bricks', 'coffee', 'raccoon', 'stairs', got 'zebra'"),
        ("Stairs", ValueError, "name must be one of 'bricks', 'coffee', 'raccoon', 'stairs', got 'Stairs'"),
        ("", ValueError, "name must be one of 'bricks', 'coffee', 'raccoon', 'stairs', got ''"),
        (
            "../digits",
            ValueError,
            "name must be one of 'bricks', 'coffee', 'raccoon', 'stairs', got '../digits'",
        ),
        (3, TypeError, "name must be a string, got 3 of type int"),
        (None, TypeError, "name must be a string, got None of type NoneType"),
        (["stairs"], TypeError, r"name must be a string, got \['stairs'\] of type list"),
    ],
)
def test_refuses(name, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        load_photograph(name)
