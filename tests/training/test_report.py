"""What is measured of a model for its card, on which sets, and that it is what the service answers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
import torch
from scipy.stats import binomtest  # type: ignore[import-untyped]
from small_run import Small

from app.imaging import normalize
from app.lenet import model as lenet
from app.lenet.calibration import Calibration
from app.lenet.registry import Registry
from app.main import create_app
from app.settings import Settings
from training import config as configs
from training import datasets, evaluate, hostile
from training.cli import main
from training.datasets import RUBBISH, Digits
from training.errors import DatasetError
from training.hostile import make
from training.metrics import wilson
from training.report import KEPT, Report, report, role

ALSO = configs.parse(
    {
        "name": "x",
        "architecture": {"num_classes": 11},
        "data": {"also": ["usps"]},
        "rubbish": {"marks": "marks"},
        "recipe": {"refit": False},
    }
)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes sets be here that have no file in the repository."""
    load = datasets.load

    def put(**sets: Digits) -> None:
        monkeypatch.setattr(datasets, "load", lambda name, folder=None: sets[name] if name in sets else load(name))
        monkeypatch.setattr("training.report._is_here", lambda name, folder: name in sets)

    return put


def some(name: str, labels: list[int]) -> Digits:
    """Pictures of noise."""
    pictures = np.random.default_rng(0).integers(0, 256, (len(labels), 20, 20)).astype(np.uint8)
    return Digits(name, pictures, np.array(labels))


def inputs_of(digits: Digits) -> torch.Tensor:
    return torch.from_numpy(np.stack([normalize(picture).input for picture in digits.pictures]))


def measured(small: Small, threshold: float = 0.8) -> Report:
    return report(lenet.load(small.model), Calibration.none(10), threshold, configs.load(small.config))


@pytest.mark.usefixtures("prepared")
def test_every_set_that_is_here_is_measured(small: Small, here: Callable[..., None]) -> None:
    """Sets of digits have an error and sets of no digit an AUROC, under their names; the others are missing."""
    here(usps=some("usps", [3] * 40), letters=some("letters", [RUBBISH] * 30))
    found = measured(small)
    assert list(found.digits) == ["mnist-test", "usps"]
    assert list(found.others) == ["letters"]
    assert found.missing == ("optdigits", "marks", "lookalikes")
    metrics = found.to_metrics()
    assert metrics["usps"]["count"] == 40
    assert metrics["letters"]["count"] == 30
    inputs = inputs_of(some("letters", [RUBBISH] * 30))
    logits = lenet.load(small.model)(inputs).detach().numpy()
    letters = evaluate.read(logits, inputs, Calibration.none(10), 0.8)
    kept = found.digits["mnist-test"].answers.accepted_at(found.keeping_threshold).mean()
    assert KEPT <= kept < KEPT + 0.005
    assert found.others["letters"].accepted == letters.accepted.mean()
    assert found.others["letters"].accepted_keeping == letters.accepted_at(found.keeping_threshold).mean()


def test_a_set_that_was_learnt_from_is_no_test() -> None:
    """What a config learns from is marked: all of it after a refit, else all but every tenth."""
    assert role(ALSO, "mnist-test") == "test"
    assert role(ALSO, "optdigits") == "new"
    assert role(ALSO, "usps") == role(ALSO, "marks") == "partly learnt"
    refit = replace(ALSO, recipe=replace(ALSO.recipe, refit=True))
    assert role(refit, "usps") == role(refit, "marks") == "learnt"


@pytest.mark.usefixtures("prepared")
def test_the_tenth_that_was_not_learnt_is_told_apart(small: Small, here: Callable[..., None]) -> None:
    """Of a partly learnt set, the digits at 9, 19, 29 ... have a figure of their own."""
    model, pictures = lenet.load(small.model), some("usps", [0] * 40)
    labels = model(inputs_of(pictures)).detach().numpy().argmax(axis=1)
    labels[[9, 29]] = (labels[[9, 29]] + 1) % 10
    here(usps=Digits("usps", pictures.pictures, labels))
    ten = replace(ALSO, architecture=replace(ALSO.architecture, num_classes=10), rubbish=configs.Rubbish())
    found = report(model, Calibration.none(10), 0.8, ten)
    assert found.digits["usps"].never_learnt == (4, 2)
    assert found.to_metrics()["usps"]["never_learnt"] == {"count": 4, "misses": 2}
    assert found.digits["mnist-test"].never_learnt is None


@pytest.mark.usefixtures("prepared")
async def test_hostile_pictures_are_accepted_as_the_service_would(small: Small, here: Callable[..., None]) -> None:
    """Each kind's share is the one that `/predict` accepts of the same pictures as PNG files."""
    here()
    threshold = Registry.open(small.model.parents[1], {}).served[0].manifest.threshold
    found = measured(small, threshold)
    settings = Settings(model_dir=small.model.parents[1], digit_model="lenet5-small")
    application = create_app(settings)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test") as client,
    ):
        for kind, pictures in hostile.make().items():
            answers = [
                (await client.post("/predict", content=cv2.imencode(".png", picture)[1].tobytes())).json()
                for picture in pictures
            ]
            assert found.hostile[kind].count == len(answers)
            assert found.hostile[kind].accepted == np.mean([one["accepted"] for one in answers]), kind


def test_hostile_pictures_are_always_the_same() -> None:
    """Two calls make equal pictures: noise, blanks, boxes and pieces of a photo, gray levels of several sizes."""
    one, other = make(), make()
    assert list(one) == ["noise, 28x28", "noise, 64x64", "blank", "filled box", "piece of a photo"]
    for kind, pictures in one.items():
        assert all(np.array_equal(picture, twin) for picture, twin in zip(pictures, other[kind], strict=True))
        assert all(picture.dtype == np.uint8 and picture.ndim == 2 for picture in pictures)
    assert {np.ptp(picture) for picture in one["blank"]} == {0}
    assert all(len(np.unique(picture)) == 2 for picture in one["filled box"])


def test_a_data_folder_that_is_not_there_is_no_missing_set(small: Small, tmp_path: Path) -> None:
    """A wrong `--data-dir` is an error rather than a report on fewer sets."""
    with pytest.raises(DatasetError, match="is not there"):
        report(
            lenet.load(small.model), Calibration.none(10), 0.8, configs.load(small.config), data_dir=tmp_path / "typo"
        )


@pytest.mark.usefixtures("prepared")
def test_the_command_prints_what_the_card_says(
    small: Small, here: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """`report` prints the tables of the card, measured anew."""
    here()
    assert main(["report", "lenet5-small", "--model-dir", str(small.model.parents[1])]) == 0
    card = (small.model / "MODEL_CARD.md").read_text()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| `mnist-test`")]
    assert len(lines) == 3
    assert all(line in card for line in lines)


@pytest.mark.parametrize(("events", "count"), [(0, 10), (3, 40), (84, 10_000), (7, 7)])
def test_the_interval_is_wilsons(events: int, count: int) -> None:
    """scipy's interval of a share, also where none or all were found."""
    expected = binomtest(events, count).proportion_ci(0.95, method="wilson")
    assert wilson(events, count) == pytest.approx((expected.low, expected.high), abs=1e-5)
