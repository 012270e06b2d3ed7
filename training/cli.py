"""The command line of the training.

Exit codes: 0 done; 1 a wish was not met (--max-error, --check); 2 the command, the config, the data, the device, the
checkpoint or the model is not what it should be; 130 interrupted.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from app.errors import ServiceError
from app.lenet.registry import default_model_dir
from training import config as configs
from training import datasets, download, parallel
from training import evaluate as measuring
from training.card.commands import card, report
from training.command_options import DataDir, Device
from training.errors import TrainingError
from training.export import export, summary, target_folder
from training.fine_tuning.command import command as fine_tune
from training.progress import Reporter, Silent
from training.run import Learnt, RunResult, learn, run

commands = App(
    name="python -m training",
    help="""Train, measure and write the models that the service serves.

    A first run, some three minutes on a CPU:

        python -m training train training/configs/baseline.toml

    Exit codes: 0 done; 1 --max-error or --check was not met; 2 the command, the config, the data, the device, the
    checkpoint or the model is not what it should be; 130 interrupted.
    """,
    version_flags=[],
)


@commands.command
def train(
    config: Path,
    /,
    *,
    device: Device = None,
    data_dir: DataDir = None,
    output: Path | None = None,
    version: int | None = None,
    force: bool = False,
    seed: int | None = None,
    resume: bool = False,
    max_error: float | None = None,
    runs: Path = Path("runs"),
) -> int:
    """Train a model as a config says, and write it with its model card into a model folder.

    The recipe is measured on held-out digits after every epoch; then, with `refit`, the model is trained anew on all
    digits and meets the test set once.

    Parameters
    ----------
    config
        A TOML file, as in training/configs/.
    output
        The model folder; the model goes to OUTPUT/NAME/VERSION/. Default: model_weights, or RUNS/models for a config
        with `ship = false`.
    version
        Which version to write. Default: the next free one.
    force
        Replace the version if it is there.
    seed
        Instead of the config's.
    resume
        Go on after the last finished epoch; on a CPU the weights become those of an uninterrupted run.
    max_error
        Exit with 1 if the test error is above this many percent.
    runs
        Where checkpoints lie, in NAME-seedSEED/.
    """
    settings = configs.load(config)
    if seed is not None:
        settings = replace(settings, seed=seed)
    run_dir = runs / f"{settings.name}-seed{settings.seed}"
    with parallel.joined(device) as own:
        say = Reporter() if parallel.leads() else Silent()
        options: dict[str, Any] = {
            "run_dir": run_dir,
            "data_dir": data_dir,
            "on": own,
            "resume": resume,
            "reporter": say,
        }
        if settings.network == "teacher":
            return _uninterrupted(say, run_dir, lambda: _taught(say, learn(settings, **options)))
        folder = output or (Path("model_weights") if settings.ship else runs / "models")
        target = target_folder(folder, settings.model, version, replace_it=force)  # before the work, not after it
        for folder in (run_dir, target.parent):  # one that cannot be written to is told before the work, not after it
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        if not parallel.leads():
            learn(settings, **options)
            return 0
        return _uninterrupted(
            say, run_dir, lambda: _shipped(say, run(settings, **options), target, data_dir, max_error)
        )


def _uninterrupted(say: Reporter, run_dir: Path, work: Callable[[], int]) -> int:
    try:
        return work()
    except KeyboardInterrupt:
        say.line(f"\ninterrupted; {run_dir} has the last finished epoch. Give the same command with --resume to go on.")
        return 130


def _taught(say: Reporter, teacher: Learnt) -> int:
    say.line(f"the teacher stays in {teacher.run_dir}: {teacher.held_out.error_percent:.2f} % of the held-out digits")
    return 0


def _shipped(say: Reporter, result: RunResult, target: Path, data_dir: Path | None, max_error: float | None) -> int:
    export(result, target, data_dir=data_dir, reporter=say)
    say.line(f"written to {target}")
    say.line(summary(result))
    if max_error is not None and result.test.error_percent > max_error:
        say.line(f"test error {result.test.error_percent:.2f} % is above --max-error {max_error} %")
        return 1
    return 0


@commands.command
def evaluate(
    model: str,
    /,
    *,
    data: str = "mnist-test",
    backend: Annotated[measuring.Backend, Parameter(help="The weights, or the graph that is served.")] = "torch",
    check: bool = False,
    model_dir: Path | None = None,
    device: Device = None,
    data_dir: DataDir = None,
) -> int:
    """Measure a model anew on a data set.

    Parameters
    ----------
    model
        NAME, which is its highest version, or NAME:VERSION.
    data
        mnist-test, mnist-train, usps or optdigits; or marks, letters or lookalikes, which are no digits.
    check
        Hold the figures against those of the model's card; exit with 1 if they differ.
    model_dir
        The model folder. Default: the one that comes with the project.
    """
    say = Reporter()
    options: dict[str, Any] = {
        "model_dir": model_dir or default_model_dir(),
        "data_dir": data_dir,
        "on": device,
        "backend": backend,
        "reporter": say,
    }
    measure = measuring.evaluate if measuring.holds_digits(data, data_dir) else measuring.refusal
    found: measuring.Evaluation | measuring.Refusal = measure(model, data, **options)
    say.line("\n".join([f"{found.model.spec} on {data}:", *found.lines]))
    if check:
        different = measuring.differences(found, data)
        say.line("not as the card says: " + "; ".join(different) if different else "as the card says")
        return 1 if different else 0
    return 0


@commands.command
def fetch(*names: str, data_dir: DataDir = None) -> int:
    """Fetch data sets, resuming what broke off; without a name, say which sets there are and what is here.

    Parameters
    ----------
    names
        mnist-train, mnist-test, usps, optdigits; or mnist for both of its parts.
    """
    say = Reporter()
    folder = data_dir or datasets.COMMITTED
    if not names:
        for known in datasets.DATASETS.values():
            say.line(
                f"{known.name:12} {_state(known, data_dir):8} {known.count:6} digits, {known.title}; {known.licence}"
            )
        return 0
    for name in names:
        parts = [known for known in datasets.DATASETS if known.startswith(f"{name}-")] or [name]
        for file in [file for part in parts for file in datasets.describe(part).files]:
            download.fetch(file, folder, say)
    return 0


commands.command(fine_tune, name="fine-tune")
commands.command(report)
commands.command(card)


def _state(known: datasets.Dataset, data_dir: Path | None) -> str:
    try:
        places = [datasets.locate(file, data_dir) for file in known.files]
    except TrainingError:
        return "missing"
    wrong = any(download.wrong_with(file, place) for file, place in zip(known.files, places, strict=True))
    return "damaged" if wrong else "here"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    try:
        command, bound, _ = commands.parse_args(arguments, print_error=True, exit_on_error=False)
        return _call(command, bound.args, bound.kwargs)
    except CycloptsError:
        return 2  # cyclopts has printed it
    except (TrainingError, ServiceError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}: {error.filename}\n" if error.filename else f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _call(command: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    code = command(*args, **kwargs)
    return code if isinstance(code, int) else 0
