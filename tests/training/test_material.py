"""What a run learns from and is held against, gathered as a config asks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from training import config
from training.config import Config
from training.datasets import RUBBISH
from training.errors import ConfigError
from training.inputs import Examples
from training.material import MADE, Material, gather
from training.progress import Silent

VALUES = {
    "name": "x",
    "architecture": {"num_classes": 11},
    "data": {"limit": 400, "validation_digits": 100, "continental": 30, "printed": 20, "rerendered": 25},
    "rubbish": {"pictures": 50},
}


def gathered(some: Config) -> Material:
    return gather(some, None, torch.device("cpu"), Silent())


@pytest.fixture(scope="module")
def material() -> Material:
    return gathered(config.parse(VALUES))


def pixels(examples: Examples) -> set[bytes]:
    return {one.numpy().tobytes() for one in examples.inputs}


def test_every_part_has_the_size_that_is_asked_for(material: Material) -> None:
    """Digits, made digits, and made rubbish, a tenth more of which is held out."""
    assert material.counts == {"mnist-train": 300, "continental": 30, "printed": 20, "rerendered": 25, MADE: 50}
    assert {name: len(part) for name, part in material.held_out.items()} == {"mnist-train": 100, MADE: 5}
    assert len(material.learnt) == 425
    assert len(material.whole) == 530
    assert sum(material.all_counts.values()) == 530


def test_nothing_held_out_is_learnt(material: Material) -> None:
    """No picture is on both sides, made ones included."""
    for part in material.held_out.values():
        assert not pixels(part) & pixels(material.learnt)


def test_rubbish_has_a_label_of_its_own(material: Material) -> None:
    """All that is made of no digit is labelled so, and no digit is."""
    assert int((material.learnt.labels == RUBBISH).sum()) == 50
    assert (material.held_out[MADE].labels == RUBBISH).all()


def test_the_same_config_gathers_the_same_pixels(material: Material) -> None:
    """The seed of a run changes nothing of its data; what is made does."""
    assert gathered(config.parse(VALUES | {"seed": 5})).sha256() == material.sha256()
    other = config.parse(VALUES | {"rubbish": {"pictures": 51}})
    assert gathered(other).sha256() != material.sha256()


def test_a_network_without_a_rubbish_output_learns_none() -> None:
    """Rubbish and eleven outputs go together, and either alone is an error that says so."""
    with pytest.raises(ConfigError, match=r"num_classes is 10, but it is 11 with \[rubbish\]"):
        config.parse(VALUES | {"architecture": {}})
    with pytest.raises(ConfigError, match="num_classes is 11"):
        config.parse(VALUES | {"rubbish": {}})


def test_a_tenth_of_a_further_set_is_held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tenth of what is learnt beside the main set is kept for the calibration."""
    from training import material as under_test
    from training.datasets import Digits

    known = under_test.datasets.load

    def load(name: str, data_dir: Path | None = None) -> Digits:
        if name != "usps":
            return known(name, data_dir)
        return Digits("usps", known("mnist-test").pictures[:95], np.arange(95) % 10)

    monkeypatch.setattr(under_test.datasets, "load", load)
    some = gathered(config.parse({"name": "x", "data": {"limit": 50, "validation_digits": 10, "also": ["usps"]}}))
    assert some.counts == {"mnist-train": 40, "usps": 86}
    assert len(some.held_out["usps"]) == 9
