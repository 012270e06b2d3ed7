"""A small run from end to end, made once."""

from collections.abc import Iterator

import pytest
import torch
from small_run import SMALL, Small

from training import hostile, inputs
from training import run as running
from training.datasets import Digits
from training.inputs import Examples
from training.progress import Reporter


@pytest.fixture(scope="session")
def prepared() -> Iterator[None]:
    """Every set is normalised once for all tests, as the same digits give the same inputs; and few hostile pictures."""
    known: dict[tuple[str, int], Examples] = {}

    def once(digits: Digits, device: torch.device, reporter: Reporter | None = None) -> Examples:
        key = (digits.name, len(digits))
        if key not in known:
            known[key] = inputs.prepare(digits, device, reporter)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "prepare", once)
        patch.setattr("training.evaluate.prepare", once)
        patch.setattr("training.report.prepare", once)
        few = {kind: pictures[::60] for kind, pictures in hostile.make().items()}
        patch.setattr(hostile, "make", lambda: few)
        yield


@pytest.fixture(scope="session")
def small(prepared: None, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """`python -m training train small.toml`, from the data to the model folder."""
    from training.cli import main

    folder = tmp_path_factory.mktemp("small")
    (folder / "small.toml").write_text(SMALL)
    assert main(["train", str(folder / "small.toml"), "--runs", str(folder / "runs"), "--device", "cpu"]) == 0
    return Small(folder / "small.toml", folder / "runs", folder / "runs" / "models" / "lenet5-small" / "1")
