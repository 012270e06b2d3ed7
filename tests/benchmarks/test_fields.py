"""The figures of whole fields, against brute force, and the forms of a picture."""

from pathlib import Path

import numpy as np
import pytest

from app.fields.formats import field_format
from benchmarks.fields import figures, forms, plots
from benchmarks.fields.cases import Case
from benchmarks.fields.reading import Answer

FORM = field_format("amount")
PICTURE = np.full((40, 90), 230, np.uint8)


def answer(text: str, confidence: float, *, truth: str = "12", others: tuple[str, ...] = (), ok: bool = True) -> Answer:
    case = Case("amount", PICTURE, truth, FORM, digits_alone=True)
    return Answer(case, text, confidence, (text, *others), ok, 0.01, 0.002, 9)


@pytest.fixture
def answers() -> list[Answer]:
    """Two hundred, the surer the more often right, with equal confidences among them."""
    rng = np.random.default_rng(0)
    sure = np.round(rng.uniform(0.3, 1, 200), 2)
    return [answer("12" if rng.random() < one**0.3 else "13", float(one)) for one in sure]


def test_a_cheque_is_right_by_its_digits() -> None:
    """The truth of a cheque says no cents; nothing read is never right."""
    assert answer("1.2", 1).right
    assert not answer("21", 1).right
    assert not answer("", 0, truth="").right


@pytest.mark.parametrize("misread", [0.0, 0.01, 0.05, 0.2, 1.0])
def test_the_read_rate_is_the_best_that_any_threshold_gives(answers: list[Answer], misread: float) -> None:
    """Of all thresholds the one that accepts most within the error, equally sure fields together."""
    rates = [0.0]
    for threshold in {one.confidence for one in answers}:
        kept = [one for one in answers if one.confidence >= threshold]
        if np.mean([not one.right for one in kept]) <= misread:
            rates.append(len(kept) / len(answers))
    assert figures.read_rate(answers, misread) == pytest.approx(max(rates))


def test_what_is_accepted_is_counted_alone() -> None:
    """The error of the accepted leaves the others out, and is no number where nothing is accepted."""
    some = [answer("12", 1), answer("13", 1), answer("13", 0.1, ok=False)]
    assert figures.accepted_error(some) == pytest.approx(0.5)
    assert figures.accepted(some) == pytest.approx(2 / 3)
    assert np.isnan(figures.accepted_error(some[2:]))


def test_the_truth_may_be_among_the_best() -> None:
    """Exact counts the first text, among the best any."""
    some = [answer("13", 1, others=("12",)), answer("13", 1), answer("12", 1)]
    assert (figures.exact(some), figures.among_best(some)) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_a_confidence_that_means_what_it_says_has_no_calibration_error() -> None:
    """Nine of ten right at 0.9, and none at 0."""
    some = [answer("12" if n else "13", 0.9) for n in range(10)] + [answer("13", 0.0)]
    assert figures.calibration_error(some) == pytest.approx(0, abs=1e-9)
    assert figures.calibration_error([answer("13", 1.0)]) == pytest.approx(1)


def test_every_form_is_the_same_picture() -> None:
    """Decoded, the same pixels are the same but for polarity; the others have the size that they say."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 90), np.uint8)
    for name, form in forms.SAME.items():
        found = np.rint(forms.decoded(form(picture)).astype(float))
        assert np.array_equal(255 - found if name == "inverted" else found, picture), name
    sizes = {name: forms.decoded(form(picture)).shape for name, form in forms.ALIKE.items()}
    assert (sizes["half size"], sizes["double size"], sizes["20 % padding"]) == ((20, 45), (80, 180), (56, 126))
    assert sizes["2 degrees"] > (40, 90)
    assert sizes["1 bit"] == sizes["JPEG q90"] == (40, 90)


def test_the_pictures_are_drawn(answers: list[Answer], tmp_path: Path) -> None:
    """Reject curve, reliability diagram and sheet, also where nothing is misread."""
    plots.rejects({"made": answers}, tmp_path / "reject.png")
    plots.reliability({"made": answers}, tmp_path / "reliability.png")
    plots.sheet(answers, tmp_path / "misread.png")
    plots.sheet([answer("12", 1)], tmp_path / "none.png")
    assert all(path.stat().st_size > 3000 for path in tmp_path.iterdir())
