"""app.runtime.batch: buckets and padding, the part of the CUDA backend that needs no GPU."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.batch import bucket_for, bucket_sizes, fill_padded


@given(st.integers(1, 5000))
def test_buckets_rise_to_the_maximum(max_batch_size: int) -> None:
    """Buckets ascend from 1 to the maximum, each at most twice the one before: about log2 of them."""
    buckets = bucket_sizes(max_batch_size)
    assert buckets[0] == 1
    assert buckets[-1] == max_batch_size
    assert all(a < b <= 2 * a for a, b in pairwise(buckets))
    assert len(buckets) <= max_batch_size.bit_length() + 1


@given(st.data(), st.integers(1, 5000))
def test_a_batch_runs_in_the_smallest_bucket_that_holds_it(data: st.DataObject, max_batch_size: int) -> None:
    """The bucket holds the batch, no smaller one does, and less than half of it is padding."""
    n = data.draw(st.integers(1, max_batch_size))
    buckets = bucket_sizes(max_batch_size)
    size = bucket_for(n, buckets)
    assert size == min(bucket for bucket in buckets if bucket >= n)
    assert n > size / 2 or n == size == 1


def test_no_bucket_holds_more_than_the_maximum() -> None:
    """More pictures than the largest bucket are a ValueError."""
    with pytest.raises(ValueError, match="at most 6"):
        bucket_for(7, bucket_sizes(6))


def test_padding_is_blank() -> None:
    """A staging buffer holds the batch, then blank pictures, whatever it held before."""
    staging = np.full((4, 1, 32, 32), 7, np.float32)
    inputs = np.random.default_rng(0).random((3, 1, 32, 32), np.float32)
    fill_padded(staging, inputs)
    np.testing.assert_array_equal(staging[:3], inputs)
    assert not staging[3].any()
