"""benchmarks.reliability: how a promise is judged, how portions add up, and what the page says of them."""

import json
from collections.abc import Callable
from math import nan
from pathlib import Path

import pytest

from benchmarks.reliability import page
from benchmarks.reliability.__main__ import main
from benchmarks.reliability.ledger import Ledger, portions
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial, measured
from benchmarks.reliability.promises import promises


def promise(keep: Callable[[Ask], Trial], control: Callable[[Ask], Trial] | None = None) -> Promise:
    """One of ten cases, in portions of four."""
    return Promise(
        number=1,
        name="quick",
        says="it is quick",
        unit="cases",
        full=10,
        small=2,
        portion=4,
        bounds={"wait": Bound("ms", most=50, timed=True), "done": Bound("%", least=90), "rate": Bound("a second")},
        keep=keep,
        control=control or (lambda ask: Trial(ask.amount, ask.amount, notes=("slow",))),
        against="a slow one",
    )


def test_a_bound() -> None:
    """A figure is kept within its bound; NaN is outside of any; without a bound it is only told."""
    assert [Bound("ms", most=5).broken(value) for value in (5, 5.1, nan)] == [False, True, True]
    assert [Bound("%", least=5).broken(value) for value in (5, 4.9, nan)] == [False, True, True]
    assert (Bound("ms", most=5).worse(1, 2), Bound("%", least=5).worse(1, 2), Bound("").worse(1, 2)) == (2, 1, 2)
    assert (Bound("ms", most=5).text(), Bound("%", least=5).text()) == ("at most 5 ms", "at least 5 %")
    assert (Bound("").text(), Bound("").broken(1e9)) == ("", False)


def test_a_control_that_fails_a_thousand_times_is_kept_short(tmp_path: Path) -> None:
    """The first of its notes say enough."""
    notes = tuple(map(str, range(1000)))
    quick = promise(lambda ask: Trial(ask.amount))
    Ledger.of(tmp_path, quick).add_control(quick, Trial(1000, 1000, notes=notes), 1)
    kept = Ledger.of(tmp_path, quick).control
    assert kept is not None
    assert kept["notes"] == list(notes[:20])


def test_a_time_alone_is_measured_once_more() -> None:
    """A trial is repeated when nothing but a timed figure is outside its bound."""

    def first(found: Trial) -> tuple[Callable[[Ask], Trial], list[int]]:
        asked: list[int] = []

        def keep(ask: Ask) -> Trial:
            asked.append(ask.start)
            return found if len(asked) == 1 else Trial(ask.amount, figures={"wait": 1})

        return keep, asked

    for found, times in (
        (Trial(2, figures={"wait": 51}), 2),
        (Trial(2, figures={"wait": 51, "done": 89}), 1),
        (Trial(2, 1, {"wait": 51}), 1),
        (Trial(2, figures={"wait": 50}), 1),
    ):
        keep, asked = first(found)
        assert measured(promise(keep), Ask(2))[1] == (times == 2)
        assert len(asked) == times


def test_portions_add_up_over_runs(tmp_path: Path) -> None:
    """Amounts and failures are added, the worst figures kept, the next run begins behind the last case."""
    figures = iter([{"wait": 3, "done": 95}, {"wait": 7, "done": 99}, {"wait": 5, "done": 91}])
    kept = promise(lambda ask: Trial(ask.amount, figures=next(figures)))
    ledger = Ledger.of(tmp_path, kept)
    for _, cases in portions(kept, 0, 8):
        ledger.add(kept, kept.keep(Ask(cases)), 1, repeated=False)
    again = Ledger.of(tmp_path, kept)
    assert list(portions(kept, again.amount, 5)) == [(8, 4), (12, 1)]
    again.add(kept, kept.keep(Ask(2)), 1, repeated=True)
    assert (again.amount, again.failures, again.repeated, again.broken) == (10, 0, 1, [])
    assert again.worst == {"wait": 7, "done": 91}
    assert len(json.loads((tmp_path / "quick.json").read_text())["latest"]) == 3
    assert Ledger.of(tmp_path, kept, afresh=True).amount == 0


@pytest.mark.parametrize(("kept", "control_failed", "code"), [(True, True, 0), (False, True, 1), (True, False, 1)])
def test_the_command(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kept: bool,
    control_failed: bool,
    code: int,
) -> None:
    """It fails when a promise is broken, and when its control keeps it; it stops at the full amount."""
    done: list[int] = []

    def keep(ask: Ask) -> Trial:
        done.append(ask.amount)
        return Trial(ask.amount, figures={"wait": 50.0 if kept else 51.0})

    one = promise(keep, lambda ask: Trial(ask.amount, int(control_failed)))
    monkeypatch.setattr("benchmarks.reliability.__main__.chosen", lambda _: [one])
    asked = ["--only", "1", "--output", str(tmp_path)]
    assert main(asked) == code
    assert sum(done) == (10 if kept else 20)  # each portion twice
    assert "at most 50 ms" in capsys.readouterr().out
    assert main(asked) == 0  # nothing is left to measure
    assert sum(done) == (10 if kept else 20)


def test_the_page_says_what_was_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row has the amount, the worst figures against their bounds, and what the control did."""
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.PAGE.write_text("# Page\n\n<!-- promises -->\n<!-- /promises -->\n")
    one = promise(lambda ask: Trial(ask.amount, 1, {"wait": 51}, ("it hung",)))
    page.write([one])
    assert "not yet measured" in page.PAGE.read_text()
    ledger = Ledger.of(tmp_path, one)
    ledger.add(one, one.keep(Ask(4)), 1, repeated=False)
    ledger.add_control(one, one.control(Ask(2)), 1)
    page.write([one])
    text = page.PAGE.read_text()
    assert "4 cases of the 10 asked for, 1 failed; wait 51 ms (at most 50 ms)" in text
    assert "1 of 4 cases failed: it hung" in text
    assert "a slow one: 2 of 2 cases failed: slow" in text


def test_every_promise_has_its_own_name() -> None:
    """They are told apart by it, and what CI measures is no more than the whole."""
    there = promises()
    assert len({one.name for one in there}) == len(there)
    assert all(0 < one.small <= one.full and one.portion > 0 for one in there)
