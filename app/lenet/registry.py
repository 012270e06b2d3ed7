"""Which models and versions there are, and which one a request means. Needs no torch.

    model_dir/
        lenet5/
            1/      model.safetensors, model.onnx, manifest.json
            2/

Every version is verified when the registry is opened. One that fails is left out, unless it is a default: what a
request that names no model would get must not quietly become another version.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import app
from app.errors import DigestMismatch, ManifestInvalid, ModelError, ModelNotFound, UnknownModel
from app.lenet.weights import Manifest, Task, verify

DEFAULTS: Final[Mapping[Task, str]] = {"digit": "lenet5"}
"""The model of each task that answers requests which name none: NAME, or NAME:VERSION."""

FIELD_DEFAULT: Final = "lenet5-field"
"""The same for fields, where the model folder has it: a folder of one's own need not read fields."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VERSION = re.compile(r"0|[1-9][0-9]{0,8}")


def default_model_dir() -> Path:
    """Where the weights are that come with the program: inside an installed package, else beside `app` in a checkout.

    Raises ModelNotFound when neither is there.
    """
    package = Path(app.__file__).parent
    candidates = (package / "model_weights", package.parent / "model_weights")
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise ModelNotFound(f"There are no model weights in {candidates[0]} or {candidates[1]}; name a model folder.")


class Pin(NamedTuple):
    """A version as it was when another process began to serve it."""

    name: str
    version: int
    sha256: tuple[tuple[str, str], ...]  # (file, digest), in the files' order


@dataclass(frozen=True)
class ServedModel:
    """A version that was found to be whole."""

    manifest: Manifest
    folder: Path
    default: bool  # whether requests of its task that name no model get this one

    @property
    def name(self) -> str:
        """Its name, without the version."""
        return self.manifest.name

    @property
    def version(self) -> int:
        """Its version, a whole number."""
        return self.manifest.version

    @property
    def task(self) -> Task:
        """What it answers: "digit" or "field"."""
        return self.manifest.task

    @property
    def spec(self) -> str:
        """NAME:VERSION, as a request may name it."""
        return f"{self.name}:{self.version}"

    @property
    def pin(self) -> Pin:
        """What another process needs to serve the same."""
        return Pin(self.name, self.version, tuple(sorted(self.manifest.sha256.items())))


@dataclass(frozen=True)
class LeftOut:
    """A version that is not served, and why."""

    path: Path  # its folder
    error: ModelError


@dataclass(frozen=True)
class Registry:
    """The models that are served, by name and then version, and what was left out."""

    served: tuple[ServedModel, ...]
    left_out: tuple[LeftOut, ...] = ()

    @classmethod
    def open(
        cls, model_dir: Path, defaults: Mapping[Task, str] = DEFAULTS, *, pins: Collection[Pin] | None = None
    ) -> "Registry":
        """Find and verify every NAME/VERSION/ in `model_dir`; what has another kind of name is ignored.

        With `pins` exactly these are served: other versions are ignored, and one that is not there any more or is no
        longer the same raises ModelNotFound or DigestMismatch.

        `defaults` gives the default of each task, as NAME (its highest version) or NAME:VERSION; a task that is not in
        it has none. Raises the ModelError of a default that fails, and ModelNotFound when a default, or any model,
        is not there.
        """
        folders = dict(_version_folders(model_dir))
        if pins is not None:
            folders = {(pin.name, pin.version): _folder_of(pin, folders, model_dir) for pin in pins}
        if not folders:
            raise ModelNotFound(f"There is no model in {model_dir}, whose folders would be NAME/VERSION/.")
        chosen = {_default_of(spec, task, folders, model_dir): task for task, spec in defaults.items()}
        models, left_out = [], []
        for (name, version), folder in sorted(folders.items()):
            task = chosen.get((name, version))
            try:
                manifest = _verify_as(folder, name, version, task)
            except ModelError as error:
                if task is not None or pins is not None:
                    raise
                left_out.append(LeftOut(folder, error))
            else:
                model = ServedModel(manifest, folder, default=task is not None)
                if pins is not None and model.pin not in pins:
                    raise DigestMismatch(f"{folder} is not the model that is being served as {model.spec}.")
                models.append(model)
        return cls(tuple(models), tuple(left_out))

    def resolve(self, spec: str | None, task: Task | None) -> ServedModel:
        """The model that a request means by `spec`: NAME, NAME:VERSION, or None for the default of its task.

        With None for the task it is one of any.

        NAME alone is the default where that has this name, else the highest version that is served. Raises
        UnknownModel when there is none, or only one of the other task.
        """
        of_task = [model for model in self.served if task in (None, model.task)]
        if spec is None:
            found = [model for model in of_task if model.default]
        else:
            found = [model for model in of_task if spec in (model.name, model.spec)]
        if not found:
            served = [model.spec for model in of_task]
            what = "No default model" if spec is None else f"No model {spec[:100]!r}"
            raise UnknownModel(
                f"{what} is served for this task; there is {', '.join(served) or 'none'}.", served=served
            )
        return max(found, key=lambda model: (model.default, model.version))


def _version_folders(model_dir: Path) -> Iterator[tuple[tuple[str, int], Path]]:
    """((name, version), folder) of every version in `model_dir`."""
    try:
        for named in model_dir.iterdir():
            if _NAME.fullmatch(named.name) and named.is_dir():
                for folder in named.iterdir():
                    if _VERSION.fullmatch(folder.name) and folder.is_dir():
                        yield (named.name, int(folder.name)), folder
    except OSError as error:
        raise ModelNotFound(f"The model folder {model_dir} cannot be read: {error.strerror}.") from error


def _folder_of(pin: Pin, folders: Mapping[tuple[str, int], Path], model_dir: Path) -> Path:
    """Where a pinned version is."""
    if (pin.name, pin.version) not in folders:
        raise ModelNotFound(f"{pin.name}:{pin.version}, which is being served, is not in {model_dir} any more.")
    return folders[pin.name, pin.version]


def _default_of(spec: str, task: Task, folders: Mapping[tuple[str, int], Path], model_dir: Path) -> tuple[str, int]:
    """The name and version that a default names."""
    name, colon, version = spec.partition(":")
    versions = [number for known, number in folders if known == name and (not colon or version == str(number))]
    if not versions:
        there = ", ".join(f"{known}:{number}" for known, number in sorted(folders)) or "none"
        raise ModelNotFound(
            f"The default model {spec} is not in {model_dir}; there is {there} (--{task}-model names another).",
            path=str(model_dir),
        )
    return name, max(versions)


def _verify_as(folder: Path, name: str, version: int, task: Task | None) -> Manifest:
    """Verify a version, and that its manifest says what its place in the model folder says."""
    manifest = verify(folder)
    for key, expected, found in (("name", name, manifest.name), ("version", version, manifest.version)):
        if found != expected:
            raise ManifestInvalid(f"The manifest in {folder} is of the {key} {found!r}, not {expected!r}.")
    if task is not None and manifest.task != task:
        raise ManifestInvalid(
            f"The model in {folder} is of the task {manifest.task!r}, and can't be a default of {task!r}."
        )
    return manifest
