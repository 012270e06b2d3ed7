"""`python -m training fine-tune`."""

from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

from cyclopts import Parameter

from app.lenet.registry import Registry, default_model_dir
from training.command_options import DataDir, Device
from training.fine_tuning import report
from training.fine_tuning.export import export, next_version
from training.fine_tuning.options import Options
from training.fine_tuning.run import fine_tune
from training.own import OwnDigits, read
from training.progress import Reporter


def command(
    *,
    parent: Annotated[str, Parameter(name="--from")],
    data: Path,
    labels: Path | None = None,
    test: Path | None = None,
    held_out: float = Options.held_out,
    epochs: int = Options.epochs,
    learning_rate: float = Options.learning_rate,
    rehearsal: int = Options.rehearsal,
    max_forgetting: float = Options.max_forgetting,
    max_rubbish_forgetting: float = Options.max_rubbish_forgetting,
    write_anyway: bool = False,
    seed: int = Options.seed,
    threads: int = Options.threads,
    model_dir: Path | None = None,
    output: Path | None = None,
    device: Device = None,
    data_dir: DataDir = None,
) -> int:
    """Teach a model your own digits, beside those that it has learnt from, and write it as its next version.

    DATA is a folder with folders 0 to 9 of pictures (and none, of what is no digit); or a .csv with the columns path,
    label and, if you like, group, so that no group is both learnt from and held out; or an IDX file of pictures.

    Exits with 1 and writes nothing if the model would forget, or gain nothing.

    Parameters
    ----------
    parent
        NAME, which is its highest version, or NAME:VERSION.
    data
        Your digits. Files that cannot be read are listed and left out.
    labels
        The IDX file of labels. Default: the one beside DATA that is named like it, with labels-idx1 for images-idx3.
    test
        More of your digits, in any of the forms of DATA: never learnt from, and nothing is chosen by them.
    held_out
        Share of DATA that chooses the best weights, and is not learnt from.
    epochs
        Passes over the pictures.
    learning_rate
        Of Adam, at the first step.
    rehearsal
        Pictures of the model's own training data that are learnt again in each epoch.
    max_forgetting
        Percentage points by which the error on the old held-out digits may rise.
    max_rubbish_forgetting
        The same of old held-out pictures of no digit, for a model that has an output for them.
    write_anyway
        Write the model even if it forgets or gains nothing.
    seed
        Of what is held out, what is rehearsed, and the order.
    threads
        Of the CPU.
    model_dir
        The folder that the model is in. Default: the one that comes with the project.
    output
        The folder that the new version is written to, as OUTPUT/NAME/VERSION/. Default: MODEL_DIR.
    """
    say = Reporter()
    folder = model_dir or default_model_dir()
    options = Options(
        held_out=held_out,
        epochs=epochs,
        learning_rate=learning_rate,
        rehearsal=rehearsal,
        max_forgetting=max_forgetting,
        max_rubbish_forgetting=max_rubbish_forgetting,
        seed=seed,
        threads=threads,
    )
    model = Registry.open(folder, {}).resolve(parent, "digit")
    target = next_version(model, output or folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=target.parent):  # a folder that cannot be written to is told before the work, not after it
        pass
    own = _read(data, labels, say)
    held_back = _read(test, None, say) if test else None
    try:
        result = fine_tune(model, own, options, test=held_back, data_dir=data_dir, on=device, reporter=say)
    except KeyboardInterrupt:
        say.line("\ninterrupted; nothing was written.")
        return 130
    say.console.print(report.table(result))
    for remark in report.remarks(result):
        say.line(remark)
    if result.choice.refusal and not write_anyway:
        say.line("nothing was written; --write-anyway writes it all the same")
        return 1
    export(result, target)
    say.line(f"written to {target}; serve it: lenet5 serve --model-dir {output or folder} --digit-model {model.name}")
    return 0


def _read(data: Path, labels: Path | None, say: Reporter) -> OwnDigits:
    own = read(data, labels, say)
    for skipped in own.skipped:
        say.line(f"left out: {skipped.name}: {skipped.code}: {skipped.reason}")
    counts = ", ".join(f"{name}: {count}" for name, count in own.counts.items())
    say.line(f"{own.name}: {len(own)} pictures ({counts}), {len(own.skipped)} left out")
    return own
