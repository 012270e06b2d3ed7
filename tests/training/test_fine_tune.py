"""Fine-tuning on somebody's own digits: what is written, what is not, and that the service serves it."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from own_pictures import as_folders, as_table, leaning, png

from app.lenet.architecture import Architecture
from app.lenet.calibration import Calibration
from app.lenet.model import LeNet5, load
from app.lenet.onnx_graph import onnx_bytes
from app.lenet.registry import Registry
from app.lenet.weights import read_manifest, write_model
from app.main import create_app
from app.settings import Settings
from training import datasets
from training.cli import main
from training.config import Config, DataConfig, Recipe, Rubbish
from training.datasets import Digits
from training.fine_tuning.figures import Figures, figures
from training.fine_tuning.options import Options
from training.fine_tuning.teach import Candidate, between, choose
from training.inputs import Examples, prepare

CONFIG = """
name = "old"
model = "mine"
ship = false
input = "standardised"
[data]
limit = 2500
validation_digits = 500
[recipe]
epochs = 5
batch_size = 32
learning_rate = 3e-3
refit = false
"""


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A model folder with mine:1, which has read 2,000 upright digits; the test digits are normalised once."""
    folder = tmp_path_factory.mktemp("parent")
    (folder / "old.toml").write_text(CONFIG)
    known: dict[str, Examples] = {}

    def once(digits: Digits, *rest: Any) -> Examples:
        return known.setdefault(digits.name, known.get(digits.name) or prepare(digits, *rest))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.run.prepare", once)
        patch.setattr("training.fine_tuning.run.prepare", once)
        command = ["train", str(folder / "old.toml"), "--runs", str(folder / "runs"), "--device", "cpu"]
        assert main([*command, "--output", str(folder / "models")]) == 0
        yield folder / "models"


@pytest.fixture
def models(parent: Path, tmp_path: Path) -> Path:
    """The same for a test of its own."""
    return Path(shutil.copytree(parent, tmp_path / "models"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 leaning digits by 40 people, with a file among them that is none."""
    pictures, labels = leaning(3000, 400)
    table = as_table(tmp_path_factory.mktemp("own"), pictures, labels.tolist(), [f"p{i // 10}" for i in range(400)])
    (table.parent / "pictures" / "bad.png").write_bytes(b"no picture")
    table.write_text(table.read_text() + "pictures/bad.png,3,p1\n")
    return table


def fine_tune(models: Path, data: Path, *options: str, spec: str = "mine") -> int:
    """The command, so short that it takes seconds."""
    command = ["fine-tune", "--from", spec, "--data", str(data), "--model-dir", str(models), "--device", "cpu"]
    return main([*command, "--rehearsal", "1000", "--epochs", "2", "--learning-rate", "2e-3", *options])


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def tuned(parent: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The model folder after a fine-tuning, and what it said."""
    folder = Path(shutil.copytree(parent, tmp_path_factory.mktemp("tuned") / "models"))
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("training.progress.Reporter.line", lambda self, text: said.append(text))
        patch.setattr("rich.console.Console.print", lambda self, table: said.extend(map(str, table.columns[0]._cells)))
        assert fine_tune(folder, data, "--max-forgetting", "1") == 0
    return folder, "\n".join(said)


def test_a_new_version_reads_the_new_digits_better(tuned: tuple[Path, str]) -> None:
    """The next version stands beside the old one, passes the registry's checks, and states both sides of the gain."""
    folder, _ = tuned
    model = Registry.open(folder, {"digit": "mine"}).resolve(None, "digit")
    assert model.spec == "mine:2"
    compared = {one["name"]: one for one in model.manifest.metrics["fine_tuning"]}
    assert list(compared) == ["own, learnt from", "own, held out", "mnist-train, held out", "mnist-test"]
    own, old = compared["own, held out"], compared["mnist-train, held out"]
    assert own["after"]["misses"] < 0.75 * own["before"]["misses"]
    assert old["after"]["error_percent"] <= old["before"]["error_percent"] + 1
    assert old["before"]["count"] == 500
    assert compared["mnist-test"]["after"]["misses"] == model.manifest.metrics["mnist-test"]["misses"]


def test_the_manifest_says_where_it_comes_from(tuned: tuple[Path, str]) -> None:
    """Parent with digest, options, counts and a digest of the data are there, and nothing of the person's paths."""
    folder, _ = tuned
    parents, manifest = (json.loads((folder / "mine" / v / "manifest.json").read_text()) for v in "12")
    training, own = manifest["training"], manifest["data"]["own"]
    assert training["fine_tuned_from"] == {"model": "mine:1", "sha256": parents["sha256"]}
    assert training["options"]["rehearsal"] == 1000
    assert training["config"] == parents["training"]["config"]
    assert manifest["data"]["before"] == parents["data"]
    assert manifest["data"]["rehearsed"]["mnist-train"]["pictures"] == 1000
    assert (own["pictures"], own["learnt"] + own["held_out"], own["groups"], own["skipped"]) == (400, 400, 40, 1)
    assert own["held_out"] % 10 == 0  # whole groups
    for name, text in content(folder / "mine" / "2").items():
        assert str(folder.parent).encode() not in text, name


def test_what_it_says(tuned: tuple[Path, str]) -> None:
    """A person is told of the bad file, the counts, every epoch, every set, and how to serve the result."""
    folder, said = tuned
    for text in (
        "bad.png (line 402): invalid_image: ",
        "400 pictures (0: ",
        "1 left out",
        "epoch  0/2       before  own held out",
        "epoch  2/2  loss 0.",
        "own, held out",
        "mnist-test",
        f"written to {folder / 'mine' / '2'}; serve it: lenet5 serve --model-dir {folder} --digit-model mine",
    ):
        assert text in said
    assert "once learnt" not in said  # its held-out digits were never learnt


def test_the_card_says_the_same(tuned: tuple[Path, str]) -> None:
    """The card parses as Hugging Face's do, and states the accuracy and every figure of the manifest."""
    folder, _ = tuned
    manifest = json.loads((folder / "mine" / "2" / "manifest.json").read_text())
    card = ModelCard.load(folder / "mine" / "2" / "MODEL_CARD.md")
    (result,) = card.data.eval_results
    assert (card.data.model_name, result.dataset_name) == ("mine", "MNIST, test part")
    assert result.metric_value == pytest.approx(1 - manifest["metrics"]["mnist-test"]["misses"] / 10_000)
    for one in manifest["metrics"]["fine_tuning"]:
        assert f"| {one['name']} | {one['before']['count']:,} | {one['before']['error_percent']:.2f} % |" in card.text
    assert manifest["data"]["own"]["sha256"] in card.text


async def test_the_service_serves_it_at_once(tuned: tuple[Path, str]) -> None:
    """Started on the folder the service answers with the new version by default, and reads leaning digits with it."""
    folder, _ = tuned
    pictures, labels = leaning(4000, 150)
    app = create_app(Settings(model_dir=folder, digit_model="mine", device="cpu", log_level="warning"))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            files = [("files", (f"{i}.png", png(picture), "image/png")) for i, picture in enumerate(pictures)]
            new, old = [
                (await client.post(f"/predict/batch{query}", files=files)).json() for query in ("", "?model=mine:1")
            ]
    right = [
        sum(one["digit"] == label for one, label in zip(answer["results"], labels, strict=True))
        for answer in (new, old)
    ]
    assert new["model"] == {"name": "mine", "version": "2"}
    assert right[0] > right[1] + 5


def test_the_graph_is_the_weights(tuned: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """`evaluate --check` finds the stated figures again by the graph that a CPU serves."""
    folder, _ = tuned
    assert main(["evaluate", "mine:2", "--model-dir", str(folder), "--backend", "onnx", "--check"]) == 0
    assert "as the card says" in capsys.readouterr().out


def test_what_forgets_is_not_written(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Digits under wrong labels spoil the old ones: the run says so, exits with 1 and leaves the folder as it was."""
    digits = datasets.load("mnist-train").take(np.arange(2400, 2700))  # of which 100 are held out for the parent
    wrong = as_folders(tmp_path / "wrong", 255 - digits.pictures, ((digits.labels + 1) % 10).tolist())
    before = content(models)
    assert fine_tune(models, wrong) == 1
    said = capsys.readouterr().out
    assert "Not to be served: it forgets: the error on the old held-out digits rises from" in said
    assert "nothing was written" in said
    assert "100 of the own pictures are also among the old held-out digits" in said
    assert content(models) == before
    assert fine_tune(models, wrong, "--write-anyway") == 0
    manifest = json.loads((models / "mine" / "2" / "manifest.json").read_text())
    assert manifest["training"]["refusal"].startswith("it forgets")


def test_an_interrupted_run_leaves_nothing(
    models: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in an epoch, or while the model is written, ends with 130 and a folder as it was."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = content(models)
    for where in ("training.trainer.Trainer.run_epoch", "app.lenet.atomic_folder._put_in_place"):
        with monkeypatch.context() as patch:
            patch.setattr(where, interrupt)
            assert fine_tune(models, data, "--max-forgetting", "1") == 130
        assert "interrupted" in "".join(capsys.readouterr())
        assert content(models) == before
        assert [path.name for path in (models / "mine").iterdir()] == ["1"]


def test_the_new_version_may_go_elsewhere(models: Path, data: Path, tmp_path: Path, tuned: tuple[Path, str]) -> None:
    """With --output the parent's folder is untouched; the version is above the parent's, and as ever bit for bit."""
    before = content(models)
    assert fine_tune(models, data, "--max-forgetting", "1", "--output", str(tmp_path / "elsewhere")) == 0
    assert Registry.open(tmp_path / "elsewhere", {}).resolve("mine", "digit").version == 2
    assert content(models) == before
    file = "mine/2/model.safetensors"
    assert (tmp_path / "elsewhere" / file).read_bytes() == (tuned[0] / file).read_bytes()


def test_further_digits_are_only_measured(
    models: Path, data: Path, tmp_path: Path, tuned: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """--test adds a row to the table and changes no weight."""
    pictures, labels = leaning(5000, 50)
    more = as_folders(tmp_path / "more", pictures, labels.tolist())
    assert fine_tune(models, data, "--max-forgetting", "1", "--test", str(more)) == 0
    assert "own, test" in capsys.readouterr().out
    file = "mine/2/model.safetensors"
    assert (models / file).read_bytes() == (tuned[0] / file).read_bytes()


@pytest.fixture
def with_rubbish(tmp_path: Path) -> Path:
    """A model folder with an untrained mine:1 of 11 outputs, whose run learnt rubbish, USPS and marks too."""
    architecture = Architecture(num_classes=11).with_standardised_input(0.13, 0.31)
    config = Config(
        name="old",
        model="mine",
        architecture=architecture,
        data=DataConfig(also=("usps",), limit=600, validation="writers", validation_digits=100, rerendered=5000),
        rubbish=Rubbish(pictures=5000, marks="marks"),
        recipe=Recipe(refit=False),
    )
    torch.manual_seed(0)
    model = LeNet5.from_architecture(architecture)
    fields = {
        "task": "digit",
        "created": "2026-01-01T00:00:00+00:00",
        "architecture": architecture.to_dict(),
        "threshold": 0.0,
        "metrics": {},
        "training": {"config": config.to_dict()},
        "data": {},
        "versions": {},
        "calibration": Calibration.none(11).to_dict(),
    }
    files = {"model.safetensors": model.to_safetensors(), "model.onnx": onnx_bytes(model)}
    write_model(tmp_path / "models" / "mine" / "1", files, fields)
    return tmp_path / "models"


def test_a_model_with_an_output_for_no_digit_learns_it(
    with_rubbish: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pictures in `none` are learnt as the eleventh output, the calibration is fitted anew, missing sets are told."""
    monkeypatch.delenv("LENET5_DATA_DIR", raising=False)
    pictures, labels = leaning(3000, 200)
    stripes = np.full((60, 28, 28), 255, np.uint8)
    for index in range(60):
        stripes[index, 4:24, 4 + index % 3 : 24 : 3] = index
    own = as_folders(tmp_path / "own", pictures, labels.tolist())
    as_folders(own, stripes, ["none"] * 60)
    assert fine_tune(with_rubbish, own) == 0
    said = capsys.readouterr().out
    assert "Not rehearsed, as it is not here: usps, marks, who wrote which of the digits" in said
    assert "mine:1 once learnt from the old digits" in said
    assert "made, held out" in said
    assert read_manifest(with_rubbish / "mine" / "2").calibration not in (None, Calibration.none(11))
    model = load(with_rubbish / "mine" / "2")
    shown = torch.zeros(1, 1, 32, 32)
    shown[0, 0, 6:26, 6:26:3] = 1
    assert model(shown).argmax() == 10


def test_a_model_without_that_output_says_so(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures in `none` for a model of ten outputs are an error that names both, not a silent loss."""
    pictures, labels = leaning(3000, 100)
    own = as_folders(tmp_path / "own", pictures, [*labels.tolist()[:97], "none", "none", "none"])
    assert fine_tune(models, own) == 2
    assert "own has 3 pictures of what is no digit, but mine:1 has 10 outputs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arguments: [*arguments, "--epochs", "0"], "epochs is 0"),
        (lambda arguments: [*arguments, "--held-out", "0.9"], "held_out is 0.9"),
        (lambda arguments: [*arguments, "--max-forgetting", "-1"], "max_forgetting is -1"),
        (lambda arguments: ["--from", "nobody", *arguments[2:]], "No model 'nobody'"),
        (lambda arguments: [*arguments[:2], "--data", "nothing"], "There is no nothing"),
    ],
)
def test_what_cannot_be_asked_for(
    models: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[list[str]], list[str]],
    message: str,
) -> None:
    """A wrong option, model or path is one sentence and exit code 2."""
    arguments = change(["--from", "mine", "--data", str(data)])
    assert main(["fine-tune", *arguments, "--model-dir", str(models)]) == 2
    assert message in capsys.readouterr().err


def test_a_model_of_unknown_origin_is_refused(model_dir: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the manifest does not say what a model has learnt, it cannot be kept from forgetting that."""
    assert fine_tune(model_dir, data, spec="lenet5") == 2
    assert "lenet5:1 has no training.config" in capsys.readouterr().err


def candidate(number: int, own: tuple[int, float], old: int, rubbish: int | None = None) -> Candidate:
    """With so many own misses of 50 and such a likelihood, so many old misses of 1,000 digits and of 100 others."""
    others = None if rubbish is None else Figures(100, rubbish, 0.1)
    return Candidate(number, 1.0, 0.1, Figures(50, *own), Figures(1000, old, 0.1), others)


def test_the_best_that_does_not_forget_is_chosen() -> None:
    """Fewest own misses first, then the likelier truth; what is above a bound does not count, just at it does."""
    log = [
        candidate(0, (20, 1.0), 10, 30),
        candidate(1, (9, 0.5), 11, 30),
        candidate(2, (5, 0.2), 12, 35),
        candidate(3, (9, 0.4), 11, 35),
        candidate(4, (4, 0.4), 10, 36),
    ]
    made = choose(log, Options(max_forgetting=0.1, max_rubbish_forgetting=5))
    assert (made.candidate.epoch, made.refusal) == (3, None)
    assert choose(log, Options(max_forgetting=0.2, max_rubbish_forgetting=5)).candidate.epoch == 2
    assert choose(log, Options(max_forgetting=0.1, max_rubbish_forgetting=6)).candidate.epoch == 4


def test_what_is_refused() -> None:
    """Nothing within the bounds is forgetting, nothing better than before no gain; the best is named all the same."""
    before = candidate(0, (20, 1.0), 10)
    forgot = choose([before, candidate(1, (9, 0.5), 14), candidate(2, (8, 0.5), 13)], Options(max_forgetting=0.2))
    assert forgot.candidate.epoch == 2
    assert "old held-out digits rises from 1.00 % to 1.30 %, by more than 0.2 points" in (forgot.refusal or "")
    useless = choose([before, candidate(1, (20, 1.1), 10), candidate(2, (21, 0.1), 10)], Options())
    assert useless.candidate.epoch == 1
    assert "it gains nothing: of the own held-out pictures 20 of 50" in (useless.refusal or "")


def test_weights_on_the_way() -> None:
    """A share of the way is on the straight line between both, and all of it is the end itself, bit for bit."""
    before, after = {"w": torch.tensor([1.0, 0.1])}, {"w": torch.tensor([3.0, 0.3])}
    assert between(before, after, 0.25)["w"].tolist() == pytest.approx([1.5, 0.15])
    assert torch.equal(between(before, after, 1.0)["w"], after["w"])


def test_the_figures_are_those_of_the_answers() -> None:
    """A digit is wrong when the likeliest of the ten is another, whatever the eleventh; no digit when one is read."""
    logits = np.full((4, 11), -5, np.float32)
    logits[0, [3, 10]] = 2, 4  # a 3, though more likely none
    logits[1, [3, 10]] = 2, 4  # none, and said so
    logits[2, [3, 10]] = 4, 2  # none, but read as a 3
    logits[3, 7] = 4  # a 7 read as a 7, but it is a 1
    made = figures(logits, np.array([3, 10, 10, 1]))
    assert (made.count, made.misses, made.error_percent) == (4, 2, 50)
    halves = figures(logits[:2], np.array([3, 10])) + figures(logits[2:], np.array([10, 1]))
    assert (halves.count, halves.misses) == (4, 2)
    assert halves.nll == pytest.approx(made.nll)


def test_the_documentation_names_options_that_there_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every option that docs/fine_tuning.md speaks of is in the command's help."""
    monkeypatch.setenv("COLUMNS", "200")
    text = (Path(__file__).parents[2] / "docs" / "fine_tuning.md").read_text()
    assert main(["fine-tune", "--help"]) == 0
    shown = capsys.readouterr().out
    named = set(re.findall(r"`(--[a-z-]+)", text)) | set(re.findall(r"fine-tune.*?(--from)", text))
    assert {"--from", "--held-out", "--max-forgetting"} <= named
    assert {name for name in named if f"{name} " not in shown} == set()
