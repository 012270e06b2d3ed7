"""Distorted digits, on real ones."""

import pytest
import torch
from torch import Tensor

from app.imaging import from_mnist_form, normalize
from training import datasets
from training.augment import SEEN, Augment, Distortions

ALL = Distortions(
    rotation=12, shear=0.25, scale=0.05, squeeze=0.3, translation=1, elastic=0.8, stroke=0.4, gamma=0.3, blur=0.5,
    noise=0.02, renormalise=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Tensor:
    return torch.from_numpy(from_mnist_form(datasets.load("mnist-train").pictures[:200]))


def augment(distortions: Distortions, seed: int = 0) -> Augment:
    return Augment(distortions, torch.Generator().manual_seed(seed))


def box(ink: Tensor) -> tuple[int, int]:
    seen = ink[0] > SEEN
    rows, columns = seen.any(1).nonzero(), seen.any(0).nonzero()
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1


def test_without_distortions_nothing_changes(digits: Tensor) -> None:
    """The identity map looks every pixel up where it is."""
    torch.testing.assert_close(augment(Distortions())(digits), digits, atol=1e-5, rtol=0)


def test_the_form_is_kept(digits: Tensor) -> None:
    """Whatever is drawn, the result is ink 0..1 of the same shape, and another picture than before."""
    made = augment(ALL)(digits)
    assert made.shape == digits.shape
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1
    assert ((made - digits).abs().amax((1, 2, 3)) > 0.1).all()


def test_a_seed_says_it_all(digits: Tensor) -> None:
    """Equal seeds draw equal distortions, others do not; the state of the generator goes on where it was."""
    one, same, other = augment(ALL), augment(ALL), augment(ALL, seed=1)
    first = one(digits)
    assert torch.equal(first, same(digits))
    assert not torch.equal(first, other(digits))
    state = one.generator.get_state()
    second = one(digits)
    same.generator.set_state(state)
    assert torch.equal(second, same(digits))


@pytest.mark.parametrize(("dx", "dy"), [(2.0, 0.0), (0.0, -3.0)])
def test_a_translation_moves_by_pixels(digits: Tensor, dx: float, dy: float) -> None:
    """A translation of whole pixels is that of the array."""
    some = augment(Distortions())
    grid = (some._grid - torch.tensor([dx, dy])).expand(len(digits), -1, -1, -1)
    moved = some._looked_up(digits, torch.eye(2).expand(len(digits), 2, 2), grid, None)
    torch.testing.assert_close(moved, digits.roll((int(dy), int(dx)), (2, 3)), atol=1e-5, rtol=0)


def test_renormalised_digits_have_the_form_that_serving_makes(digits: Tensor) -> None:
    """After strong affine distortions the box is 20 pixels and centred, to a pixel; without it, it is not."""
    strong = {"rotation": 30.0, "shear": 0.5, "squeeze": 0.6}
    made = augment(Distortions(**strong, renormalise=True))(digits)
    longer = torch.tensor([max(box(one)) for one in made])
    assert (longer - 20).abs().float().mean() < 1
    assert int((longer - 20).abs().max()) <= 3  # a thin end may fade
    left = torch.tensor([max(box(one)) for one in augment(Distortions(**strong))(digits)])
    assert (left - 20).abs().float().mean() > 2
    again = torch.stack([torch.from_numpy(normalize((one[0] * 255).round().byte().numpy()).input) for one in made])
    assert float((again - made).abs().mean()) < 0.03


def test_strokes_grow_and_shrink(digits: Tensor) -> None:
    """The ink spreads on both sides of what it was, the more the larger the setting."""
    ink = digits.sum((1, 2, 3))
    little, much = (augment(Distortions(stroke=s))(digits).sum((1, 2, 3)) / ink for s in (0.2, 0.8))
    assert much.min() < little.min() < 1 < little.max() < much.max()


def test_a_share_is_left_alone(digits: Tensor) -> None:
    """Of a share of 0.5 about half of the digits are as they were, and exactly."""
    made = augment(Distortions(share=0.5, rotation=20))(digits)
    same = (made == digits).flatten(1).all(1)
    assert 60 < int(same.sum()) < 140


def test_an_empty_picture_stays_empty() -> None:
    """Nothing to measure a box of is no reason to fail."""
    assert float(augment(ALL.__class__(rotation=5, renormalise=True))(torch.zeros(3, 1, 32, 32)).abs().max()) == 0


@pytest.mark.parametrize("wrong", [{"rotation": -1.0}, {"share": 1.5}, {"elastic": float("nan")}, {"elastic_grid": 1}])
def test_impossible_distortions_are_an_error(wrong: dict[str, float]) -> None:
    """Negative, not finite, or out of range: a ValueError with the name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Distortions(**wrong)  # type: ignore[arg-type]
