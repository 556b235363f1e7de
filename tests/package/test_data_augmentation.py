"""Images move by whole pixels, each by its own distance; all are equally likely, and zeros come in."""

import pytest
import torch

from d2lconv.data import load_digits, random_shifts


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def shift(image, down, right):
    """Move one image (C, H, W), pixel by pixel."""
    moved = torch.zeros_like(image)
    _, H, W = image.shape
    for row in range(H):
        for column in range(W):
            if 0 <= row - down < H and 0 <= column - right < W:
                moved[:, row, column] = image[:, row - down, column - right]
    return moved


def distances(count, size, most, generator):
    """Find by how much each of many images moves: each has one bright pixel, in its middle."""
    images = torch.zeros(count, 1, size, size)
    images[:, :, size // 2, size // 2] = 1
    places = random_shifts(images, most, generator).flatten(1).argmax(1)
    return [(place // size - size // 2, place % size - size // 2) for place in places.tolist()]


@pytest.mark.parametrize(("shape", "most"), [((40, 1, 5, 5), 1), ((40, 3, 4, 7), 2), ((20, 2, 3, 3), 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8])
def test_each_image_is_moved_whole(shape, most, dtype):
    images = (torch.rand(shape, generator=seeded()) * 200 + 1).to(dtype)
    moved = random_shifts(images, most, seeded(1))
    assert moved.shape == images.shape
    assert moved.dtype == dtype
    steps = range(-most, most + 1)
    possible = [torch.stack([shift(image, a, b) for a in steps for b in steps]) for image in images]
    assert all((moved[n] == possible[n]).flatten(1).all(1).any() for n in range(len(images)))


def test_every_distance_is_equally_likely_and_the_two_are_independent():
    found = distances(2000, 5, 1, seeded(2))
    times = {step: found.count(step) for step in found}
    assert sorted(times) == [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    assert max(abs(number - 2000 / 9) for number in times.values()) < 60  # four standard deviations


def test_two_pixels_means_at_most_two():
    found = distances(300, 7, 2, seeded())
    assert {down for down, _ in found} == {right for _, right in found} == {-2, -1, 0, 1, 2}


def test_the_generator_decides():
    images = load_digits().valid.images
    assert torch.equal(random_shifts(images, 2, seeded()), random_shifts(images, 2, seeded()))
    assert not torch.equal(random_shifts(images, 2, seeded()), random_shifts(images, 2, seeded(1)))
    generator = seeded()
    assert not torch.equal(random_shifts(images, 2, generator), random_shifts(images, 2, generator))


def test_takes_no_other_random_numbers():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    random_shifts(torch.ones(2, 1, 3, 3), 1, seeded())
    assert torch.equal(torch.get_rng_state(), state)


def test_zero_moves_nothing_and_is_a_copy():
    images = load_digits().valid.images
    moved = random_shifts(images, 0, seeded())
    assert torch.equal(moved, images)
    assert moved.data_ptr() != images.data_ptr()


def test_the_images_stay_as_they_are():
    images = load_digits().valid.images
    before = images.clone()
    random_shifts(images, 3, seeded()).zero_()
    assert torch.equal(images, before)


def test_no_images():
    assert random_shifts(torch.zeros(0, 1, 4, 4), 2, seeded()).shape == (0, 1, 4, 4)


@pytest.mark.parametrize(
    ("images", "most", "error", "message"),
    [
        (torch.zeros(2, 1, 4, 4), -1, ValueError, "most must be at least 0, got -1"),
        (torch.zeros(2, 1, 4, 4), 1.5, TypeError, "most must be an integer, got 1.5 of type float"),
        (torch.zeros(1, 4, 4), 1, ValueError, r"images must have shape \(N, C, H, W\), got \(1, 4, 4\)"),
    ],
)
def test_refuses(images, most, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        random_shifts(images, most, seeded())


def test_refuses_other_kinds():
    with pytest.raises(TypeError, match=r"^images must be a torch\.Tensor, got ndarray"):
        random_shifts(torch.zeros(2, 1, 4, 4).numpy(), 1, seeded())
    with pytest.raises(TypeError, match=r"^generator must be a torch\.Generator, got int"):
        random_shifts(torch.zeros(2, 1, 4, 4), 1, 0)
