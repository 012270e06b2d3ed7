"""Candidates as examples, and cheques in folds."""

from collections.abc import Iterator

import field_material
import numpy as np
import pytest
import torch

from training import config
from training.datasets import RUBBISH, cheque_amounts
from training.datasets.cheque_amounts import FOLDS, Amount, parse
from training.errors import ConfigError, DatasetError
from training.fields import examples, kinds
from training.fields.examples import of_amounts, of_fields, varied
from training.material import gather
from training.progress import Silent

VALUES = {
    "name": "x",
    "task": "field",
    "input": "paper",
    "architecture": {"num_classes": 11},
    "data": {"limit": 2000, "validation": "writers", "validation_digits": 6000, "fields": 10, "cheques": 2},
    "rubbish": {"pictures": 20},
    "recipe": {"epochs": 1, "threads": 1, "refit": False},
}


def amounts() -> list[Amount]:
    """Fields that are made, as cheques' amounts."""
    found = []
    for number, field in enumerate(kinds.make({"clean ZIP": 1}, 10, field_material.sources(), 7)):
        boxes = [(x, y, right - x, bottom - y) for x, y, right, bottom in (sign.box for sign in field.written.signs)]
        found.append(Amount(f"made {number}", field.picture, field.digits, np.array(boxes, np.float32)))
    return found


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sets that no clone brings along are stood in for."""
    monkeypatch.setattr("training.datasets.mnist.writers", lambda _: (np.arange(60_000) // 100).astype(np.int32))
    monkeypatch.setattr(examples, "writers", lambda _, *, held_out: field_material.writers(30_000 if held_out else 0))
    monkeypatch.setattr(examples, "marks", lambda _, *, held_out: field_material.marks())
    monkeypatch.setattr(cheque_amounts, "load", lambda _: amounts())
    for made in (of_fields, of_amounts):
        made.cache_clear()
    yield
    for made in (of_fields, of_amounts):
        made.cache_clear()


def test_a_run_learns_from_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole digits and bad cuts of fields and of cheques are learnt, others are held out, each sort by itself."""
    monkeypatch.setattr("training.material._split", lambda *_: _small_split())
    material = gather(config.parse(VALUES), None, torch.device("cpu"), Silent())
    learnt = dict(material.counts)
    assert learnt["fields"] > 60
    assert learnt["cheques"] > 120
    labels = set(material.held_out["fields"].labels.tolist())
    assert labels <= set(range(10))
    assert set(material.held_out["cuts"].labels.tolist()) == {RUBBISH}


def test_a_fold_is_not_learnt_from() -> None:
    """The folds part the amounts, and a config with a fold learns from the others alone."""
    by_fold = [sum(len(one.labels) for one in of_amounts(None, 1) if one.fold == fold) for fold in range(FOLDS)]
    everything = sum(len(one.labels) for one in of_amounts(None, 1))
    assert sum(by_fold) == everything
    assert max(by_fold) < everything


def test_a_fold_depends_on_the_name_alone() -> None:
    """The same amounts lie in the same folds whatever else there is; no fold of many is much larger than another."""
    some = [Amount(f"a_car_{n:06d}", np.zeros((2, 2), np.uint8), "", np.zeros((0, 4), np.float32)) for n in range(680)]
    counts = np.bincount([one.fold for one in some], minlength=FOLDS)
    assert counts.min() > 0.8 * 680 / FOLDS


def test_a_varied_cheque_keeps_its_boxes_round_its_digits() -> None:
    """Ink in a digit's box stays in it when the picture is scanned anew."""
    rng = np.random.default_rng(0)
    for amount in amounts():
        other = varied(amount, rng)
        for picture, boxes in ((amount.picture, amount.boxes), (other.picture, other.boxes)):
            ink = picture.max() - picture.astype(float)
            ink[ink < 0.4 * ink.max()] = 0
            inside = np.zeros_like(ink)
            for x, y, width, height in boxes:
                area = np.s_[int(y) - 1 : int(np.ceil(y + height)) + 1, int(x) - 1 : int(np.ceil(x + width)) + 1]
                inside[area] = ink[area]
            assert inside.sum() > 0.97 * ink.sum()


def test_an_amount_whose_boxes_say_something_else_is_refused() -> None:
    """Boxes and text have to agree."""
    arrays = {
        "pixels": np.zeros(6, np.uint8),
        "shapes": np.array([[2, 3]]),
        "offsets": np.array([0, 6]),
        "labels": np.array(["12"]),
        "ids": np.array(["one"]),
        "boxes_xywh": np.zeros((2, 4), np.float32),
        "box_digit": np.array([1, 2]),
        "box_start": np.array([0, 2]),
    }
    (one,) = parse(arrays, "file")
    assert (one.text, one.picture.shape, len(one.boxes)) == ("12", (2, 3), 2)
    with pytest.raises(DatasetError, match="the boxes of one don't say 12"):
        parse({**arrays, "box_digit": np.array([1, 3])}, "file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {**VALUES["data"], "fold": FOLDS}}, "data.fold is 5, but there are 5"),
        ({"data": {**VALUES["data"], "validation_digits": 5000}}, "data.fields needs"),
        ({"rubbish": {}, "architecture": {}}, "there is no \\[rubbish\\]"),
    ],
)
def test_a_config_of_fields_has_to_hold_out_the_same_writers(change: dict[str, object], message: str) -> None:
    """Whoever writes the fields that measure is never learnt from, and what is no digit has an output."""
    with pytest.raises(ConfigError, match=message):
        config.parse(VALUES | change)


def _small_split():  # type: ignore[no-untyped-def]
    from training.split import last

    return last(2000, 300)
