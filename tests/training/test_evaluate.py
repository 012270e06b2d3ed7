"""Measuring a model anew, by its weights and by its graph."""

import json
import shutil
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from small_run import Small

from app.imaging import normalize
from app.lenet.calibration import Calibration
from app.lenet.registry import Registry, default_model_dir
from app.lenet.weights import manifest_json
from app.main import create_app
from app.runtime import open_backend
from app.settings import Settings
from training import datasets
from training.cli import main
from training.datasets import Digits
from training.errors import TrainingError
from training.evaluate import answers, differences, evaluate, refusal
from training.metrics import ece

CALIBRATION = Calibration(
    classes=10,
    lowest=(-5.0, 0.0),
    highest=(20.0, 20.0),
    temperature=(0.3, -0.5, 0.0),
    digitness=(1.5, 2.0, 3.0),
    floor=0.001,
    least_digitness=0.95,
)


@pytest.fixture
def calibrated(small: Small, tmp_path: Path) -> Path:
    """A model folder with the small run's model, and a calibration of no merit."""
    folder = tmp_path / "lenet5-small" / "1"
    shutil.copytree(small.model, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    changes = {"calibration": CALIBRATION.to_dict(), "threshold": 0.7}
    (folder / "manifest.json").write_bytes(manifest_json(manifest | changes))
    return tmp_path


def made(labels: list[int]) -> Digits:
    """Pictures of no merit: noise, and a blank one at the end."""
    pictures = np.random.default_rng(0).integers(0, 256, (len(labels), 28, 28)).astype(np.uint8)
    pictures[-1] = 0
    return Digits("made", pictures, np.array(labels))


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_the_card_is_reproduced(small: Small, capsys: pytest.CaptureFixture[str], backend: str) -> None:
    """`evaluate --check` finds the card's figures again, by the weights and by the graph, and exits with 0."""
    command = ["evaluate", "lenet5-small:1", "--model-dir", str(small.model.parents[1]), "--device", "cpu"]
    assert main([*command, "--backend", backend, "--check"]) == 0
    misses = json.loads((small.model / "manifest.json").read_text())["metrics"]["mnist-test"]["misses"]
    out = said(capsys)
    assert f"({misses} of 10000 misread)" in out
    assert out.splitlines()[-1] == "as the card says"


def test_another_figure_is_found(small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A card that claims one miss less is contradicted: the exit code is 1 and both figures are named."""
    folder = tmp_path / "lenet5-small" / "1"
    shutil.copytree(small.model, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    true = manifest["metrics"]["mnist-test"]["misses"]
    manifest["metrics"]["mnist-test"]["misses"] = true - 1
    (folder / "manifest.json").write_bytes(manifest_json(manifest))
    assert main(["evaluate", "lenet5-small", "--model-dir", str(tmp_path), "--check", "--device", "cpu"]) == 1
    assert f"misses: stated {true - 1}, measured {true}" in said(capsys)


def test_a_set_that_the_card_does_not_speak_of(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` on a set without stated figures is an error, not an agreement."""
    folder = tmp_path / "lenet5-small" / "1"
    shutil.copytree(small.model, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["metrics"]["mnist-test"]
    (folder / "manifest.json").write_bytes(manifest_json(manifest))
    assert main(["evaluate", "lenet5-small", "--model-dir", str(tmp_path), "--check", "--device", "cpu"]) == 2
    assert "states no figures on mnist-test" in capsys.readouterr().err


def test_the_manifests_calibration_is_measured(calibrated: Path) -> None:
    """ECE, acceptance and the misread digits' confidence are those of the calibrated answers, digitness counted in."""
    found = evaluate("lenet5-small", "mnist-test", model_dir=calibrated, backend="onnx")
    digits = datasets.load("mnist-test")
    backend = open_backend(found.model.folder, device="cpu", max_batch_size=10_000)
    expected = CALIBRATION.apply(backend.infer(np.stack([normalize(picture).input for picture in digits.pictures])))
    wrong = expected.probabilities.argmax(axis=1) != digits.labels
    accepted = (expected.confidence >= 0.7) & (expected.digitness >= 0.95)
    assert 0.1 < accepted.mean() < (expected.confidence >= 0.7).mean()
    assert found.accepted == pytest.approx(accepted.mean(), abs=2e-4)
    assert found.accepted_error_percent == pytest.approx(100 * wrong[accepted].mean(), abs=0.05)
    assert found.metrics.misread_confidence == pytest.approx(expected.confidence[wrong].mean(), abs=1e-4)
    gap = ece(expected.probabilities, digits.labels, confidence=expected.confidence)
    assert found.metrics.ece == pytest.approx(gap, abs=1e-4)
    assert found.metrics.nll_over_plain is not None
    assert found.metrics.nll_over_plain > 1


async def test_it_measures_what_the_service_answers(calibrated: Path) -> None:
    """The same pictures, a blank one among them, get the same digit, confidence and acceptance from the service."""
    model = Registry.open(calibrated, {}).resolve("lenet5-small", "digit")
    pictures = np.concatenate([datasets.load("mnist-test").pictures[:40], np.zeros((1, 28, 28), np.uint8)])
    found = answers(model, Digits("forty and a blank one", pictures, np.zeros(41, np.int64)), backend="onnx")
    app = create_app(Settings(model_dir=calibrated, digit_model="lenet5-small", device="cpu"))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            body = [("files", cv2.imencode(".png", picture)[1].tobytes()) for picture in pictures]
            said = (await client.post("/predict/batch", files=body)).json()["results"]
    assert [one["accepted"] for one in said] == found.accepted.tolist()
    assert {one["accepted"] for one in said} == {True, False}
    assert [one["digit"] for one in said] == found.calibrated.probabilities.argmax(axis=1).tolist()
    np.testing.assert_allclose([one["confidence"] for one in said], found.calibrated.confidence, atol=1e-5)
    assert found.calibrated.confidence[-1] == 0


def test_what_is_no_digit_is_measured_beside_digits(
    calibrated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a set of no digits the command says how many are accepted, and the AUROC; `--check` compares them."""
    sets = {"mnist-test": datasets.load("mnist-test"), "letters": made([datasets.RUBBISH] * 30)}
    monkeypatch.setattr(datasets, "load", lambda name, data_dir=None: sets[name])
    found = refusal("lenet5-small", "letters", model_dir=calibrated, backend="onnx")
    assert found.count == 30
    assert 0.5 < found.digitness_auroc <= 1
    model = found.model
    digits, others = (answers(model, part, backend="onnx") for part in (sets["mnist-test"], sets["letters"]))
    truth = np.repeat([1, 0], [10_000, 30])
    scores = np.concatenate([digits.calibrated.confidence, others.calibrated.confidence])
    assert found.confidence_auroc == pytest.approx(roc_auc_score(truth, scores))
    assert found.accepted == others.accepted.mean()
    command = ["evaluate", "lenet5-small", "--data", "letters", "--model-dir", str(calibrated), "--backend", "onnx"]
    assert main(command) == 0
    assert f"AUROC against digits {found.confidence_auroc:.4f}" in said(capsys)
    assert main([*command, "--check"]) == 2
    assert "states no figures on letters" in capsys.readouterr().err
    figures = {key: getattr(found, key) for key in ("count", "accepted", "confidence_auroc", "digitness_auroc")}
    for stated, code in ((figures, 0), (figures | {"count": 29}, 1)):
        manifest = json.loads((found.model.folder / "manifest.json").read_text())
        manifest["metrics"]["letters"] = stated
        (found.model.folder / "manifest.json").write_bytes(manifest_json(manifest))
        assert main([*command, "--check"]) == code
    assert said(capsys).splitlines()[-1] == "not as the card says: count: stated 29, measured 30"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "No model 'nobody'"),
        (["lenet5-small", "--data", "mnits"], "There is no data set 'mnits'"),
        (["lenet5-small", "--device", "gpu"], "'gpu' is no device"),
        (["lenet5-small", "--device", "cuda:99"], "cuda:99 is not here"),
    ],
)
def test_what_cannot_be_measured(
    small: Small, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """A wrong model, set or device is one line on standard error and the exit code 2."""
    assert main(["evaluate", *arguments, "--model-dir", str(small.model.parents[1])]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_shipped_weights_reproduce_their_card(prepared: None) -> None:
    """The weights that come with the project have the figures that their manifest and card state: at most 1.1 %."""
    found = evaluate("lenet5:1", "mnist-test", model_dir=default_model_dir(), backend="onnx")
    assert differences(found, "mnist-test") == []
    assert found.metrics.error_percent <= 1.1
    card = (found.model.folder / "MODEL_CARD.md").read_text()
    assert f"**{found.metrics.error_percent:.2f} %** ({found.metrics.misses} of 10,000" in card


def test_sets_that_cannot_be_measured_so(calibrated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that mixes both can be neither misread nor told from digits; the message names it."""
    monkeypatch.setattr(datasets, "load", lambda name, data_dir=None: made([1, datasets.RUBBISH]))
    with pytest.raises(TrainingError, match="mixed holds pictures of no digit"):
        evaluate("lenet5-small", "mixed", model_dir=calibrated)
    with pytest.raises(TrainingError, match="mixed holds digits"):
        refusal("lenet5-small", "mixed", model_dir=calibrated)
