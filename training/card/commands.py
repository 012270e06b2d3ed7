"""`python -m training report` and `python -m training card`."""

from pathlib import Path

from app.lenet import model as lenet
from app.lenet.registry import Registry, default_model_dir
from training import config as configs
from training import report as measuring
from training.card import tables
from training.command_options import DataDir
from training.export import renew
from training.progress import Reporter


def report(model: str, /, *, model_dir: Path | None = None, data_dir: DataDir = None) -> int:
    """Measure a model anew on every known set that is here, and print what its card would say.

    Parameters
    ----------
    model
        NAME, which is its highest version, or NAME:VERSION.
    model_dir
        The model folder. Default: the one that comes with the project.
    """
    say = Reporter()
    served = Registry.open(model_dir or default_model_dir(), {}).resolve(model, None)
    manifest = served.manifest
    measured = measuring.report(
        lenet.load(served.folder),
        manifest.reading,
        manifest.threshold,
        configs.parse(manifest.training.get("config", {})),
        data_dir=data_dir,
        reporter=say,
    )
    parts = (tables.roles, tables.digits, tables.confidence, tables.rejects, tables.others)
    say.line("\n\n".join([f"{served.spec}, threshold {measured.threshold}", *(part(measured) for part in parts)]))
    return 0


def card(
    model: str,
    /,
    *,
    model_dir: Path | None = None,
    data_dir: DataDir = None,
    runs: Path = Path("runs"),
) -> int:
    """Measure a model anew and write its card, its figures and its manifest's; the weights stay as they are.

    Sets that are not here are named as missing in the card.

    Parameters
    ----------
    model
        NAME, which is its highest version, or NAME:VERSION.
    model_dir
        The model folder. Default: the one that comes with the project.
    runs
        Where checkpoints lie: the other seeds of the same config are looked for there.
    """
    say = Reporter()
    served = Registry.open(model_dir or default_model_dir(), {}).resolve(model, None)
    renew(served, data_dir=data_dir, runs=runs, reporter=say)
    say.line(f"written to {served.folder}")
    return 0
