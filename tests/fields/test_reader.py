"""What the reader makes of what both networks say."""

import numpy as np
import pytest

from app.fields.calibration import FieldCalibration
from app.fields.ctc import BLANK, CLASSES, log_likelihoods
from app.fields.formats import field_format
from app.fields.lattice import constrained
from app.fields.ranking import Alternative, line_log_likelihoods, listed, places, ranked
from app.fields.texts import Text
from tests.fields.small_lattices import made


def saying(text: str, sure: float = 0.9) -> np.ndarray:
    """(steps, 11): a line's network that sees these signs, "_" for the blank, each with that probability."""
    probabilities = np.full((len(text), CLASSES), (1 - sure) / (CLASSES - 1))
    for row, sign in zip(probabilities, text, strict=True):
        row[BLANK if sign == "_" else int(sign)] = sure
    return np.log(probabilities)


def texts_of(posteriors: dict[str, float]) -> list[Text]:
    return [Text(text, float(np.log(posterior))) for text, posterior in posteriors.items()]


@pytest.mark.parametrize("offset", [-6.0, -1.0, 0.0, 3.0])
@pytest.mark.parametrize("slope", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("line_weight", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("posteriors", [(0.5, 0.45), (0.9, 0.05, 0.01), (1.0,), (1e-9, 1e-10), (0.34, 0.33, 0.33)])
def test_probabilities_of_texts_are_probabilities(offset, slope, line_weight, posteriors):
    """However the confidence is calibrated, the best text has it, none is likelier, and all sum to at most 1."""
    weights = FieldCalibration(offset=offset, slope=slope, line_weight=line_weight, line_slope=line_weight)
    texts = texts_of({str(place): posterior for place, posterior in enumerate(posteriors)})
    found = ranked(texts, 0.0, saying("_1_"), weights)
    assert sorted(one.text for one in found) == sorted(one.text for one in texts)
    probabilities = [one.probability for one in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) <= 1 + 1e-12
    best = int(found[0].text)
    likelihood = float(np.exp(log_likelihoods(saying("_1_"), [found[0].text])[0]))
    assert probabilities[0] == pytest.approx(weights.confidence(posteriors[best], likelihood), rel=1e-9)


def test_the_line_chooses_among_texts_that_the_segmentation_leaves_open():
    """What is read of the whole line counts by its weight: none, and the segmentation has it alone."""
    texts = texts_of({"17": 0.5, "77": 0.4})
    line = saying("_7_7_")
    assert ranked(texts, 0.0, line, FieldCalibration())[0].text == "17"
    assert ranked(texts, 0.0, line, FieldCalibration(line_weight=0.5))[0].text == "77"
    assert ranked(texts, 0.0, None, FieldCalibration(line_weight=0.5))[0].text == "17"


def test_what_the_line_says_is_weighed_too():
    """Its text stands among the listed ones, cents as the segmentation has them, where a path of it is read so."""
    arcs = [((0, 1), "1", 0.0), ((0, 1), "7", -3.0), ((1, 2), "2", 0.0), ((2, 3), ".", 0.0)]
    lattice = made(6, [*arcs, ((3, 4), "5", 0.0), ((4, 5), "0", 0.0)])
    field = field_format("amount")
    product = constrained(lattice, field.automaton)

    def found(line: str | None) -> list[str]:
        return [one.text for one in listed(lattice, product, field, None if line is None else saying(line), n=1)]

    assert found(None) == found("_1_2_5_0_") == found("____") == found("_3_2_5_0_") == ["12.50"]
    assert found("_77_2_5_0_") == found("_7_2_5_0_1_0_0_") == ["12.50", "72.50"]
    weighed = listed(lattice, product, field, saying("_7_2_5_0_"), n=1)
    assert weighed[1].mass == pytest.approx(weighed[0].mass - 3)


def test_readers_that_disagree_make_nothing_sure():
    """The same text is surer where the line says so too."""
    weights = FieldCalibration(line_weight=0.5, line_slope=1.0)
    agreed, alone = (ranked(texts_of({"17": 0.9}), 0.0, saying(line), weights)[0] for line in ("_1_7_", "_4_7_"))
    assert agreed.probability > 0.9 > alone.probability


def test_cents_may_stand_over_a_hundred():
    """An amount with cents is as likely as its digits alone, or with 100 behind them, are together."""
    line = saying("_1_2_5_0_1_0_0_", sure=0.8)
    apart = np.exp(log_likelihoods(line, ["1250", "1250100"]))
    assert np.exp(line_log_likelihoods(["12.50", "1250"], line)) == pytest.approx([apart.sum(), apart[0]])
    assert line_log_likelihoods(["12.50", "1250"], None).tolist() == [0.0, 0.0]


def test_a_digit_is_as_probable_as_the_texts_that_have_it():
    """At each place, among the texts of as many digits."""
    texts = [Alternative("12", 0.6), Alternative("72", 0.3), Alternative("1.2", 0.05), Alternative("127", 0.02)]
    found = places(texts, 2)
    assert found[0, [1, 7]] == pytest.approx([0.65, 0.3])
    assert found[1, 2] == pytest.approx(0.95)
    assert found.sum() == pytest.approx(1.9)
