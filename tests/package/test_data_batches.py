"""Mini-batches hold every image once beside its own label, in an order that only the generator decides."""

import pytest
import torch

from d2lconv.data import ImageData, batches, load_digits, random_shifts


@pytest.fixture(scope="module")
def data():
    """Return 10 images of which each holds its own number, with that as the label."""
    numbers = torch.arange(10)
    return ImageData(numbers.double().view(10, 1, 1, 1).expand(10, 3, 4, 5), numbers, tuple("abcdefghij"))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def order_of(data, size, generator=None):
    return torch.cat([labels for _, labels in batches(data, size, generator=generator)]).tolist()


@pytest.mark.parametrize("generator", [None, seeded()])
@pytest.mark.parametrize(
    ("size", "sizes"), [(1, [1] * 10), (3, [3, 3, 3, 1]), (5, [5, 5]), (10, [10]), (99, [10])]
)
def test_every_image_once_with_its_label(data, size, sizes, generator):
    cut = list(batches(data, size, generator=generator))
    assert [len(labels) for _, labels in cut] == sizes
    for images, labels in cut:
        assert images.shape == (len(labels), 3, 4, 5)
        assert images.dtype == torch.float64
        assert labels.dtype == torch.int64
        assert (images == labels.view(-1, 1, 1, 1)).all()
    assert sorted(torch.cat([labels for _, labels in cut]).tolist()) == list(range(10))


def test_without_a_generator_the_order_stays(data):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    assert order_of(data, 4) == list(range(10))
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_generator_nothing_is_copied(data):
    (_, _), (images, labels) = batches(data, 5)
    assert images.data_ptr() == data.images[5:].data_ptr()
    assert labels.data_ptr() == data.labels[5:].data_ptr()


def test_the_generator_decides_the_order(data):
    assert (
        order_of(data, 4, seeded())
        == order_of(data, 3, seeded())
        == torch.randperm(10, generator=seeded()).tolist()
    )
    assert order_of(data, 4, seeded()) != order_of(data, 4, seeded(1)) != list(range(10))


def test_each_epoch_has_its_own_order(data):
    generator = seeded()
    assert order_of(data, 4, generator) != order_of(data, 4, generator)


def test_every_order_comes_about_equally_often():
    data = ImageData(torch.zeros(3, 1, 1, 1), torch.arange(3), ("a", "b", "c"))
    generator = seeded()
    orders = [tuple(order_of(data, 2, generator)) for _ in range(1200)]
    times = {order: orders.count(order) for order in orders}
    assert len(times) == 6
    assert min(times.values()) > 150


def test_the_order_is_drawn_at_the_call(data):
    generator = seeded()
    first = batches(data, 4, generator=generator)
    torch.rand(5, generator=generator)
    assert torch.cat([labels for _, labels in first]).tolist() == order_of(data, 4, seeded())


def test_the_data_stay_as_they_are(data):
    before = data.images.clone()
    for images, labels in batches(data, 4, generator=seeded()):
        images.zero_()
        labels.zero_()
    assert torch.equal(data.images, before)
    assert data.labels.tolist() == list(range(10))


def test_no_images():
    data = ImageData(torch.zeros(0, 1, 4, 4), torch.zeros(0, dtype=torch.int64), ("a",))
    assert list(batches(data, 3)) == list(batches(data, 3, generator=seeded())) == []


def test_on_another_device(data):
    for generator in (None, seeded()):
        for images, labels in batches(data.to("meta"), 4, generator=generator):
            assert images.device == labels.device == torch.device("meta")
    assert random_shifts(torch.zeros(2, 1, 4, 4, device="meta"), 2, seeded()).device == torch.device("meta")


def test_real_digits():
    train = load_digits().train
    images, labels = next(batches(train, 1197, generator=seeded()))
    order = torch.randperm(1197, generator=seeded())
    assert torch.equal(images, train.images[order])
    assert torch.equal(labels, train.labels[order])


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        (0, ValueError, "batch_size must be at least 1, got 0"),
        (-1, ValueError, "batch_size must be at least 1, got -1"),
        (2.0, TypeError, "batch_size must be an integer, got 2.0 of type float"),
        (None, TypeError, "batch_size must be an integer, got None of type NoneType"),
    ],
)
def test_refuses_at_the_call(data, size, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        batches(data, size)


@pytest.mark.parametrize(
    ("wrong", "generator", "message"),
    [
        ((torch.zeros(2, 1, 4, 4), torch.zeros(2)), None, "data must be ImageData, got tuple"),
        (
            None,
            3,
            r"generator must be a torch.Generator, got int: torch.Generator\(\).manual_seed\(3\) makes one",
        ),
        (None, "cpu", "generator must be a torch.Generator, got str"),
    ],
)
def test_refuses_other_kinds_at_the_call(data, wrong, generator, message):
    with pytest.raises(TypeError, match=f"^{message}$"):
        batches(wrong or data, 4, generator=generator)
