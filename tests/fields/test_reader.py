"""What the reader makes of posteriors."""

import pytest

from app.fields import reader
from app.fields.calibration import FieldCalibration


@pytest.mark.parametrize("offset", [-6.0, -1.0, 0.0, 3.0])
@pytest.mark.parametrize("slope", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("posteriors", [(0.5, 0.45), (0.9, 0.05, 0.01), (1.0,), (1e-9, 1e-10), (0.34, 0.33, 0.33)])
def test_probabilities_of_texts_are_probabilities(offset, slope, posteriors):
    """However the confidence is calibrated, the best text has it, none is likelier, and all sum to at most 1."""
    weights = FieldCalibration(offset=offset, slope=slope)
    texts = [(str(place), posterior) for place, posterior in enumerate(posteriors)]
    found = [one.probability for one in reader._calibrated(texts, weights)]
    assert found[0] == weights.confidence(posteriors[0])
    assert found == sorted(found, reverse=True)
    assert sum(found) <= 1 + 1e-12
