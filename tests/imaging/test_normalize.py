"""The laws of the normalisation."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.imaging import INPUT_SHAPE, DecodeLimits, decode, from_mnist_form, normalize
from benchmarks.forms import FORMS

SAME_PIXELS = (
    "inverted",
    "sixteen_bit",
    "sixteen_bit_tiff",
    "gif",
    "cmyk",
    "rgba_opaque",
    "alpha_black",
    "alpha_white",
)


def test_mnist_keeps_its_pixels(training_digits):
    """All but a handful of MNIST's training digits come out exactly as they are, and those nearly."""
    found = np.stack([normalize(digit).input for digit in training_digits])
    difference = np.abs(found - from_mnist_form(training_digits)).reshape(len(found), -1)
    assert np.count_nonzero(difference.max(axis=1)) <= 5
    moved = difference.max(axis=1) > 0
    assert all(
        np.isclose(found[moved].sum((1, 2, 3)), from_mnist_form(training_digits)[moved].sum((1, 2, 3)), rtol=0.1)
    )


def test_idempotent(digits):
    """What has been normalised once does not change when it is normalised again."""
    for digit in digits:
        once = normalize(255 - np.kron(digit, np.ones((5, 5), np.uint8))).input
        again = normalize(np.rint(once[0] * 255).astype(np.uint8)).input
        assert np.abs(again - once).max() <= 1 / 255


@pytest.mark.parametrize("form", SAME_PIXELS)
def test_the_same_pixels_in_another_form(digits, limits, form):
    """A picture's container, depth, polarity and transparency do not change the input."""
    for digit in digits[:30]:
        sent = FORMS[form](digit, np.random.default_rng(0))
        assert np.array_equal(normalize(decode(sent, limits)).input, normalize(digit).input)


def test_inverted_anything_gives_the_same(digits, limits):
    """Inverting a picture with uneven light, paper and noise does not change the input."""
    for index, form in enumerate(("uneven_light", "photo", "lined_paper", "cropped_bold", "noisy", "specks")):
        picture = decode(FORMS[form](digits[index], np.random.default_rng(index)), limits)
        assert np.allclose(normalize(picture).input, normalize(255 - picture).input, atol=0.02)


@pytest.mark.parametrize("dark", [True, False])
def test_a_bold_one_cut_to_its_box(dark):
    """A bold slanted 1 that fills its narrow picture is read as one stroke, not as the two corners beside it."""
    picture = np.zeros((66, 26), np.uint8)
    cv2.line(picture, (17, -5), (8, 70), 255, 13, cv2.LINE_AA)
    picture = cv2.GaussianBlur(picture, (0, 0), 1)
    found = normalize(255 - picture if dark else picture).input[0]
    assert found[16, 14:18].max() > 0.9  # ink in the middle
    columns = np.arange(32)
    middles = [(row * columns).sum() / row.sum() for row in found if row.sum() > 0]
    assert np.all(np.diff(middles) <= 0.1)  # and each row a little further to the left


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize(("depth", "softness"), [(0.45, 8), (0.6, 15)])
def test_the_edge_of_a_shadow_is_no_ink(turn, depth, softness):
    """A hairline beside the soft edge of a deep shadow comes out as without the shadow."""
    paper = np.full((400, 400), 235, np.float32)
    cv2.ellipse(paper, (205, 200), (60, 100), 0, 0, 360, 45, 5, cv2.LINE_AA)
    lit = 1 - depth / (1 + np.exp((250 - np.arange(400)) / softness))
    noise = np.random.default_rng(0).normal(0, 3, paper.shape)
    without, under = (np.clip(np.rot90(paper * light + noise, turn), 0, 255) for light in (1.0, lit))
    found = normalize(under.astype(np.uint8)).input
    reference = _shifted_best(normalize(without.astype(np.uint8)).input, found)
    assert np.corrcoef(found.ravel(), reference.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("margin", [1, 30, 500])
def test_margin_does_not_matter(digits, margin):
    """More ground round a digit does not change the input."""
    for digit in digits[:20]:
        assert np.array_equal(normalize(np.pad(digit, margin)).input, normalize(digit).input)


@pytest.mark.parametrize("times", [2, 3, 20])
def test_size_does_not_matter(digits, times):
    """An enlarged digit gives nearly the same input."""
    alike = []
    for digit in digits:
        large = normalize(np.kron(digit, np.ones((times, times), np.uint8))).input
        alike.append(np.corrcoef(large.ravel(), _shifted_best(normalize(digit).input, large).ravel())[0, 1])
    assert np.mean(np.array(alike) > 0.95) >= 0.98  # a speck that MNIST counts as ink is dropped from larger pictures


def _shifted_best(reference, found):
    """The reference moved by up to a pixel, where it fits best: the centre of mass may round to the other side."""
    moved = [np.roll(reference, (dy, dx), (1, 2)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return min(moved, key=lambda one: float(np.abs(one - found).sum()))


def test_specks_do_not_move_the_box(digits):
    """A few specks far from the digit leave the input as it was."""
    for digit in digits[:20]:
        clean = np.pad(np.kron(digit, np.ones((6, 6), np.uint8)), 60)
        dusty = clean.copy()
        for row, column in ((5, 5), (10, 270), (275, 20), (280, 280)):
            dusty[row : row + 2, column : column + 2] = 255
        assert np.allclose(normalize(dusty).input, normalize(clean).input, atol=1e-6)


def test_a_detached_bar_belongs_to_the_digit():
    """The bar of a 5 that does not touch its body is kept."""
    picture = np.full((200, 200), 255, np.uint8)
    cv2.ellipse(picture, (90, 120), (35, 35), 0, -100, 150, 0, 9)
    cv2.line(picture, (80, 60), (77, 85), 0, 9)
    whole = normalize(picture).input
    cv2.line(picture, (100, 52), (140, 50), 0, 9)
    with_bar = normalize(picture).input
    assert np.flatnonzero(with_bar[0].max(axis=0) > 0.3).size > np.flatnonzero(whole[0].max(axis=0) > 0.3).size


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (10_000, 1), (28, 28), (3, 3), (700, 2)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank(shape, level):
    """A picture of one level gives zeros and says blank."""
    found = normalize(np.full(shape, level, np.uint8))
    assert found.reasons == ("blank",)
    assert not found.input.any()


def test_too_small_and_low_contrast():
    """A digit of few pixels, or of few levels of gray, is normalised and said to be so."""
    tiny = np.zeros((40, 40), np.uint8)
    tiny[10:15, 10:13] = 255
    assert normalize(tiny).reasons == ("too_small",)
    faint = np.full((60, 60), 100, np.uint8)
    faint[20:40, 28:32] = 106
    assert normalize(faint).reasons == ("low_contrast",)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("dark", [True, False])
def test_an_area_that_the_frame_cuts_off_is_no_digit(turns, dark):
    """What runs along one side of the picture only, bright or dark, is said to be no digit."""
    picture = np.full((60, 80), 210, np.uint8)
    cv2.fillPoly(picture, [np.array([(79, 0), (70, 0), (64, 40), (68, 59), (79, 59)], np.int32)], (30,))
    picture = np.rot90(picture if dark else 255 - picture, turns)
    assert normalize(picture).reasons == ("not_a_digit",)


def test_a_digit_that_touches_the_frame_is_one(digits):
    """Cut to its own box, or to its rows alone, a digit is no piece of something else."""
    for digit in digits:
        rows, columns = (np.flatnonzero(digit.max(axis=axis) > 100) for axis in (1, 0))
        box = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        for crop in (box, np.pad(box, ((0, 0), (9, 9)))):
            large = cv2.resize(255 - crop, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
            assert "not_a_digit" not in normalize(large).reasons


@settings(max_examples=150, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.float32]),
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=70),
        elements=st.integers(0, 255),
    )
)
def test_never_raises(picture):
    """Whatever the pixels are, the input is 32x32, between 0 and 1, and finite."""
    found = normalize(picture).input
    assert found.shape == INPUT_SHAPE
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1


def test_noise_of_any_shape():
    """Pure noise is no error, on long and narrow pictures either."""
    rng = np.random.default_rng(0)
    for shape in ((1, 10_000), (10_000, 1), (2, 3000), (600, 600), (1, 1), (5, 1)):
        assert np.isfinite(normalize(rng.integers(0, 256, shape).astype(np.uint8)).input).all()


def test_uneven_light(digits):
    """A digit in strongly uneven light comes out like the digit itself."""
    limits = DecodeLimits()
    alike = []
    for index, digit in enumerate(digits[:20]):
        found = normalize(decode(FORMS["uneven_light"](digit, np.random.default_rng(index)), limits)).input
        alike.append(np.corrcoef(found.ravel(), _shifted_best(normalize(digit).input, found).ravel())[0, 1])
    assert np.median(alike) > 0.9
    assert min(alike) > 0.6


def test_from_mnist_form(digits):
    """MNIST's form is padded to 32x32 and scaled to 0..1, and 32x32 is taken as padded already."""
    inputs = from_mnist_form(digits)
    assert inputs.shape == (len(digits), *INPUT_SHAPE)
    assert np.array_equal(inputs[:, 0, 2:-2, 2:-2] * 255, digits.astype(np.float32))
    assert np.array_equal(from_mnist_form(np.pad(digits, ((0, 0), (2, 2), (2, 2)))), inputs)
