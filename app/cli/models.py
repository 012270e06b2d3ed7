"""`lenet5 models`: what would be served here, or what a service serves."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lenet5_client.schemas import ModelInfo

from app.cli.ends import FileError, say

if TYPE_CHECKING:
    from app.settings import Settings


def models(*, url: str | None = None, model_dir: Path | None = None, json: bool = False) -> None:
    """List the models that would be served here, or those that a service serves.

    ```sh
    lenet5 models                                # what `lenet5 serve` would serve
    lenet5 models --model-dir runs/models        # with weights of one's own
    lenet5 models --url http://127.0.0.1:8000    # what is being served there
    lenet5 models --json                         # with figures, as GET /models
    ```

    A request, and --model of `lenet5 predict` and `lenet5 read`, names one as NAME or NAME:VERSION; one that names none
    gets the default of its task. Without --url the variables of `lenet5 serve`, such as LENET5_DIGIT_MODEL, count here
    too, every file is checked against its digest, and a version that must not be served is a line on standard error.
    With --url a key that the service asks for is the variable LENET5_API_KEY.

    Exit codes: 0 with a list; 1 when there is none, and a line on standard error says why; 2 for a wrong option.

    Parameters
    ----------
    url
        A service, such as http://127.0.0.1:8000.
    model_dir
        Folder with NAME/VERSION/ models; by default LENET5_MODEL_DIR, or the weights that come with the program.
    json
        Print what GET /models answers.
    """
    from lenet5_client.schemas import ModelList  # noqa: PLC0415

    if url is not None:
        from app.cli.there import models_of  # noqa: PLC0415

        found = models_of(url)
    else:
        from app.settings import Settings  # noqa: PLC0415

        found = _here(Settings() if model_dir is None else Settings(model_dir=model_dir))
    if json:
        print(ModelList(models=list(found)).model_dump_json())  # noqa: T201 - a command's answer
    elif sys.stdout.isatty():
        _show(found)
    else:
        for model in found:
            print(*_cells(model), sep="\t")  # noqa: T201


def _here(settings: "Settings") -> Sequence[ModelInfo]:
    """What a service would serve. Raises ModelError, and FileError for a folder that may not be looked into."""
    from app.api.ops import model_infos  # noqa: PLC0415
    from app.lenet.registry import Registry, default_model_dir  # noqa: PLC0415
    from app.main import defaults_of  # noqa: PLC0415

    folder = settings.model_dir or default_model_dir()
    try:
        defaults = defaults_of(settings, folder)
    except OSError as error:
        raise FileError(f"{folder} cannot be read: {error.strerror}.", file=str(folder)) from error
    registry = Registry.open(folder, defaults)
    for left_out in registry.left_out:
        say(f"{left_out.path} would be left out: {left_out.error.message} [{left_out.error.code}]")
    return model_infos(registry)


def _cells(model: ModelInfo) -> tuple[str, str, str, str]:
    return model.task, f"{model.name}:{model.version}", "default" if model.default else "", model.sha256


def _show(found: Sequence[ModelInfo]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("task", "model", "", "SHA-256 of the weights", box=None, pad_edge=False, header_style="bold")
    for model in found:
        task, name, default, digest = _cells(model)
        table.add_row(task, name, default, digest[:16], style="green" if default else None)
    Console().print(table)
