"""benchmarks.ablations, .shifts, .before_lenet: the comparisons compare what they say."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from app.lenet.architecture import C3, Activation, Architecture, Output, Subsampling
from app.lenet.model import LeNet5
from benchmarks.ablations import BASELINE, VARIANTS
from benchmarks.before_lenet.__main__ import PAGE, with_tables
from benchmarks.before_lenet.learnt import passage
from benchmarks.comparison import RESULTS, keep, options, read
from benchmarks.shifts import FullyConnected, moved, moved_once
from training.inputs import Examples


def test_a_variant_changes_one_part() -> None:
    """Every variant but the baseline and those of several parts differs from the baseline in one argument."""
    for variant in VARIANTS:
        before, after = asdict(BASELINE), asdict(variant.architecture)
        changed = [key for key in before if before[key] != after[key]]
        changed += [] if variant.initial == "fan_in" else ["initial"]
        assert (len(changed) == 1) == (variant.part not in ("none", "several")), variant.name


@pytest.mark.parametrize(
    ("field", "choices"),
    [("activation", Activation), ("subsampling", Subsampling), ("c3", C3), ("output", Output)],
)
def test_every_choice_is_measured(field: str, choices: object) -> None:
    """Each choice that an architecture has of its parts stands in the ablations."""
    assert {getattr(variant.architecture, field) for variant in VARIANTS} == set(get_args(choices))


def test_the_fully_connected_net_is_as_large() -> None:
    """It has as many weights as LeNet-5, within one in a hundred."""
    counts = [sum(p.numel() for p in net.parameters()) for net in (LeNet5(), FullyConnected(Architecture()))]
    assert counts == [61_750, 62_110]


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 0), (-2, 0), (0, 5), (0, -1), (2, -4)])
def test_a_move_is_a_move(right: int, down: int) -> None:
    """Pixel (x, y) comes to (x + right, y + down); what comes in is background."""
    inputs = torch.rand(2, 1, 32, 32) + 0.1
    expected = torch.zeros_like(inputs)
    for y in range(max(0, down), min(32, 32 + down)):
        for x in range(max(0, right), min(32, 32 + right)):
            expected[:, 0, y, x] = inputs[:, 0, y - down, x - right]
    assert torch.equal(moved(inputs, right, down), expected)


def test_each_digit_is_moved_once_and_every_way() -> None:
    """Each example lies somewhere within the reach, at other places than its neighbours, and the same by a seed."""
    dot = torch.zeros(500, 1, 32, 32)
    dot[:, 0, 16, 16] = 1
    examples = Examples(dot, torch.zeros(500, dtype=torch.int64))
    places = moved_once(examples, 2, seed=1).inputs[:, 0].nonzero()[:, 1:]
    assert places.shape == (500, 2)
    assert {tuple(place) for place in places.tolist()} == {(y, x) for y in range(14, 19) for x in range(14, 19)}
    assert torch.equal(moved_once(examples, 2, seed=1).inputs, moved_once(examples, 2, seed=1).inputs)


@pytest.mark.parametrize(
    "arguments", [{"input_scale": 2.0}, {"c3": "table1", "output": "rbf", "squash_subsampling": True}]
)
def test_the_maps_drawn_are_the_networks(arguments: dict[str, object]) -> None:
    """Following a digit layer by layer ends where the network ends."""
    torch.manual_seed(0)
    model = LeNet5(**arguments)
    digit = torch.rand(32, 32)
    expected = model(digit[None, None]).softmax(dim=1)[0]
    np.testing.assert_allclose(passage(model, digit.numpy()).probabilities, expected.detach(), atol=1e-6)


def test_the_page_says_what_was_measured() -> None:
    """The tables of docs/before_lenet.md are those of the kept results."""
    page = PAGE.read_text()
    assert with_tables(page, RESULTS) == page


def test_a_page_without_a_place_for_a_table_is_an_error() -> None:
    """A table's place that is missing is named."""
    with pytest.raises(ValueError, match="classical"):
        with_tables("# A page\n", RESULTS)


def test_the_page_shows_every_picture() -> None:
    """Each picture that is linked is there, each that is there is linked, and none is large."""
    linked = set(re.findall(r"\]\(before_lenet/([a-z]+\.png)\)", PAGE.read_text()))
    assert linked == {path.name for path in RESULTS.glob("*.png")}
    assert all(path.stat().st_size < 150_000 for path in RESULTS.glob("*.png"))


@pytest.mark.parametrize(("flags", "whole"), [(["--quick"], True), ([], False)])
def test_a_part_never_replaces_the_pages_figures(flags: list[str], whole: bool) -> None:
    """A quick result, or one of some variants only, is not written among the page's."""
    before = {path: path.read_bytes() for path in RESULTS.iterdir()}
    assert "not kept" in keep(options(None).parse_args(flags), "shifts", {}, whole=whole)
    assert {path: path.read_bytes() for path in RESULTS.iterdir()} == before


def test_a_result_is_read_as_it_was_kept(tmp_path: Path) -> None:
    """In another folder everything is written, and says on what it was had."""
    assert "kept in" in keep(options(None).parse_args(["--quick", "--output", str(tmp_path)]), "one", {"rows": [1.5]})
    result = read(tmp_path, "one")
    assert result["rows"] == [1.5]
    assert result["hardware"]
    assert result["versions"]["torch"]
