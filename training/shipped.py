"""What a model folder keeps of a run, before anything is measured of it: what a card can be made from again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.lenet import model as lenet
from app.lenet.calibration import Calibration
from app.lenet.model import LeNet5
from app.lenet.registry import ServedModel
from app.lenet.weights import read_verified
from training import config as configs
from training.config import Config
from training.errors import TrainingError
from training.phase import Record

CONFIG: Final = "config.toml"
LOG: Final = "log.jsonl"

MADE_BY_WRITING = ("name", "version", "sha256", "preprocessing")
"""Keys of a manifest that whoever writes the folder fills in."""


@dataclass(frozen=True)
class Shipped:
    """A model with all that its run says of it."""

    name: str
    version: int
    model: LeNet5  # on the CPU, in evaluation mode
    config: Config
    log: tuple[Record, ...]
    fields: Mapping[str, Any]  # the manifest's, as JSON holds them, but for those of MADE_BY_WRITING
    files: Mapping[str, bytes]  # weights, graphs, config and log: by name, as they lie in the folder

    @property
    def calibration(self) -> Calibration | None:
        """How its logits become a confidence; None where they are taken as they are."""
        values = self.fields.get("calibration")
        return None if values is None else Calibration.from_dict(values)

    @property
    def threshold(self) -> float:
        """The confidence from which on it accepts."""
        return float(self.fields["threshold"])


def of_folder(served: ServedModel) -> Shipped:
    """What the folder of a model holds.

    Raises:
        TrainingError: it is not a run's: it has no config or no log, or they are damaged.
        ServiceError: the model must not be served.
    """
    folder, manifest = served.folder, served.manifest
    try:
        kept = {name: (folder / name).read_bytes() for name in (CONFIG, LOG)}
        log = tuple(Record(**json.loads(line)) for line in kept[LOG].splitlines())
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(
            f"{served.spec} has no {CONFIG} and {LOG} of a training run, from which its card could be made "
            f"anew: {error}."
        ) from error
    values = json.loads(json.dumps(manifest.to_dict()))
    return Shipped(
        name=served.name,
        version=served.version,
        model=lenet.load(folder),
        config=configs.load(folder / CONFIG),
        log=log,
        fields={key: value for key, value in values.items() if key not in MADE_BY_WRITING},
        files={**{name: read_verified(folder, name) for name in manifest.sha256}, **kept},
    )


def counts(shipped: Shipped) -> dict[str, int]:
    """Examples that the model learnt from, by set, as its manifest says."""
    stated: Any = shipped.fields["data"]["trained_on"]
    sets: list[Mapping[str, Any]] = [stated] if isinstance(stated, Mapping) else stated  # once there was only one
    return {one["name"]: one.get("count", one.get("digits")) for one in sets}
