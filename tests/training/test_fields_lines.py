"""Lines, and the network that learns to read them."""

from collections.abc import Iterator
from pathlib import Path

import field_material
import numpy as np
import pytest
import torch

from app.fields.strip import ROWS
from training.errors import CheckpointError
from training.fields import kinds, line, line_training, lines
from training.fields.line_model import LineNetwork
from training.fields.line_training import Lesson, learn, log_probabilities, varied
from training.fields.lines import TextLine
from training.progress import Silent


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sets that no clone brings along are stood in for."""
    monkeypatch.setattr(lines, "writers", lambda *_, **__: field_material.writers(0))
    monkeypatch.setattr(lines, "strangers", lambda *_: field_material.writers(30_000))
    monkeypatch.setattr(lines, "marks", lambda *_, **__: field_material.marks())


@pytest.fixture
def few() -> list[TextLine]:
    """Two short lines."""
    made = [kinds.make({"clean ZIP": 1}, 1, field_material.sources(), seed)[0] for seed in (1, 2)]
    return [lines._line(one.picture, one.digits) for one in made]


def test_lines_are_made_with_their_digits() -> None:
    """Each as the network will be shown it, the same for everyone; here and there one has nothing to read."""
    some = list(lines.made(60, None))
    assert {one.strip.shape[0] for one in some} == {ROWS}
    assert all(one.strip.dtype == np.uint8 and one.strip.max() > 200 for one in some if one.text)
    assert all(one.text.isdigit() or not one.text for one in some)
    assert 0 < sum(not one.text for one in some) < 10
    again = list(lines.made(3, None))
    assert all(np.array_equal(one.strip, other.strip) for one, other in zip(again, some, strict=False))


def test_a_network_learns_the_lines_that_it_is_shown(few: list[TextLine], monkeypatch: pytest.MonkeyPatch) -> None:
    """After enough turns it says of each line its text, as it stands, and of the other line another."""
    monkeypatch.setattr(line_training, "AVERAGE", 0.5)
    monkeypatch.setattr(line_training, "WARM_UP", 5)
    torch.manual_seed(0)
    model = learn(LineNetwork(), few, Lesson(epochs=120, learning_rate=3e-3, batch_size=2), Silent())
    for one in few:
        found = log_probabilities(model, one.strip / 255)
        assert found.shape == (one.strip.shape[1] // 2, 11)
        assert np.exp(found).sum(axis=1) == pytest.approx(1, abs=1e-5)
        path = [int(sign) for sign in found.argmax(axis=1)]
        said = [sign for before, sign in zip([10, *path], path, strict=False) if sign not in (10, before)]
        assert "".join(map(str, said)) == one.text


def test_a_varied_line_keeps_its_ink(few: list[TextLine]) -> None:
    """However it is widened, moved and slanted, nothing of it leaves the sheet sideways."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        sheet = varied(few, rng)
        assert sheet.shape[:3] == (2, 1, ROWS)
        assert sheet.shape[3] % 4 == 0
        assert float(sheet.min()) >= 0
        assert float(sheet.max()) <= 1
        for one, of_one in zip(few, sheet, strict=True):
            assert float((of_one > 0.5).sum()) == pytest.approx(float((one.strip > 127).sum()), rel=0.35)
            assert float(of_one[:, :, -1].max()) < 0.5


def test_a_fold_learns_from_all_cheques_but_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is served learns from all; what is there already is not learnt again."""
    seen: dict[str, set[int]] = {}
    cheques = [TextLine(np.zeros((ROWS, 24), np.uint8), "1", fold) for fold in range(5)]
    monkeypatch.setattr(lines, "cheques", lambda _: iter(cheques))

    def keep(model: LineNetwork, some: list[TextLine], lesson: Lesson, say: Silent) -> LineNetwork:
        seen[str(len(seen))] = {one.fold for one in some}
        return model.eval()

    monkeypatch.setattr(line, "learn", keep)
    arguments = ["--runs", str(tmp_path), "--lines", "2"]
    assert line.main([*arguments, "--only", "open", "fold1", "cheques"]) == 0
    assert list(seen.values()) == [{-1}, {-1, 0, 2, 3, 4}, {-1, 0, 1, 2, 3, 4}]
    assert line.main([*arguments, "--only", "open", "fold1"]) == 0
    assert len(seen) == 3
    first, other = (line.load(tmp_path, name).state_dict() for name in ("open", "fold1"))
    assert all(torch.equal(first[name], other[name]) for name in first)


def test_a_network_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With how to make it."""
    with pytest.raises(CheckpointError, match=r"open\.safetensors is not there: train it with python -m training"):
        line.load(tmp_path, "open")


def test_no_cheque_without_what_it_goes_on_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is missing, and nothing is written."""
    assert line.main(["--runs", str(tmp_path), "--lines", "1", "--only", "fold0", "--data-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())
