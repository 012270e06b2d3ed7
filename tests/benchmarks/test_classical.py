"""benchmarks.classical: the methods before the network, on the network's own inputs."""

import numpy as np
import pytest
import torch

from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5
from app.lenet.onnx_graph import onnx_bytes
from benchmarks.classical import features
from benchmarks.classical.lenet import LeNetGraph
from benchmarks.classical.measure import errors, flat, kept
from benchmarks.classical.methods import METHODS, Method, probabilities
from training import datasets
from training.inputs import Examples, prepare


@pytest.fixture(scope="module")
def examples() -> Examples:
    return prepare(datasets.load("mnist-train").take(np.arange(600)), torch.device("cpu"))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_learns_and_answers_in_probabilities(method: Method, examples: Examples) -> None:
    """Taught 400 digits, each method reads three of four new ones; its rows sum to 1, alone or in bulk."""
    rows, labels = flat(examples), examples.labels.numpy()
    classifier = method.build()
    classifier.fit(rows[:400], labels[:400])
    answers = probabilities(classifier, rows[400:])
    assert answers.shape == (200, 10)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    assert (answers.argmax(axis=1) == labels[400:]).mean() > 0.75
    np.testing.assert_allclose(probabilities(classifier, rows[450:451])[0], answers[50], atol=1e-5)


def test_no_edges_without_ink() -> None:
    """Hand-made features of an empty input are all 0."""
    empty = np.zeros((1, 1024), np.float32)
    for extract in (features.sobel, features.hog, features.sift):
        assert not extract(empty).any()


def test_hog_does_not_see_how_dark_the_ink_is(examples: Examples) -> None:
    """Half the ink gives the same histograms: their blocks are normalised. Sobel's edges are half as strong."""
    rows = flat(examples)[:3]
    np.testing.assert_allclose(features.hog(rows / 2), features.hog(rows), atol=1e-3)
    np.testing.assert_allclose(features.sobel(rows / 2), features.sobel(rows) / 2, atol=1e-6)


def test_sift_describes_each_place_of_its_grid() -> None:
    """Ink in the input's left upper corner is in the first place's descriptor and not in the last's."""
    corner = np.zeros((1, 32, 32), np.float32)
    corner[0, :3, :3] = 1
    places = features.sift(corner.reshape(1, -1)).reshape(16, 128)
    assert places[0].any()
    assert not places[15].any()


def test_what_a_classifier_keeps_is_counted_once() -> None:
    """Numbers and bytes of all arrays, however often and deep they are held."""
    array = np.zeros((3, 4), np.float32)
    assert kept({"one": array, "again": [array, "text"], "other": (np.zeros(2), {})}) == (14, 64)


def test_errors_are_those_of_the_probabilities(examples: Examples) -> None:
    """A method that always says 0, surest on the first half, misreads all that is no 0, whichever set it is."""
    labels = examples.labels.numpy()

    def always_zero(rows: np.ndarray) -> np.ndarray:
        return np.tile(np.array([0.91] + [0.01] * 9), (len(rows), 1))

    found, sure, _ = errors(always_zero, {"one": examples, "two": examples.take(np.arange(100))})
    assert found["one"] == pytest.approx(100 * (labels != 0).mean())
    assert found["two"] == pytest.approx(100 * (labels[:100] != 0).mean())
    assert sure == pytest.approx(100 * (labels[:570] != 0).mean())


def test_an_eleventh_output_is_left_out(examples: Examples) -> None:
    """Of a network that can say "no digit" the ten probabilities are those given that it is one."""
    torch.manual_seed(0)
    model = LeNet5.from_architecture(Architecture(num_classes=11))
    answers = LeNetGraph(onnx_bytes(model)).predict_proba(flat(examples)[:5])
    with torch.inference_mode():
        expected = model(examples.inputs[:5])[:, :10].softmax(dim=1)
    np.testing.assert_allclose(answers, expected.numpy(), atol=1e-5)
