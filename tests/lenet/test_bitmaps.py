"""app.lenet.bitmaps: the targets of the RBF output."""

import numpy as np

from app.lenet.bitmaps import BITMAP_COUNT, BITMAP_HEIGHT, BITMAP_WIDTH, bitmaps


def test_are_ten_pictures_of_plus_and_minus_one() -> None:
    """There are ten bitmaps of 7x12 pixels, one for each of the 84 units of F6, of -1 and +1 alone."""
    codes = bitmaps()
    assert codes.shape == (BITMAP_COUNT, BITMAP_WIDTH * BITMAP_HEIGHT) == (10, 84)
    assert codes.dtype == np.float32
    assert set(np.unique(codes)) == {-1, 1}


def test_any_two_differ_in_a_tenth_of_their_pixels() -> None:
    """No two digits have codes closer than 12 of 84 pixels, so that none is a misprint of another."""
    codes = bitmaps()
    distances = (codes[:, None] != codes[None]).sum(axis=2)
    assert distances[~np.eye(10, dtype=bool)].min() >= 12


def test_digits_are_upright_and_in_order() -> None:
    """0 mirrors to itself both ways; 6 turned by 180 degrees is nearer to 9 than to itself; 7 is heavy at its top."""
    pictures = bitmaps().reshape(10, BITMAP_HEIGHT, BITMAP_WIDTH)
    assert (pictures[0] == pictures[0, ::-1]).all()
    assert (pictures[0] == pictures[0, :, ::-1]).all()
    turned = pictures[6, ::-1, ::-1]
    assert (turned != pictures[9]).sum() < (turned != pictures[6]).sum()
    assert pictures[7, :2].min() == 1 > pictures[7, -2:].mean()
