"""Which models and versions there are, and which one a request means. Needs no torch.

    model_dir/
        lenet5/
            1/      model.safetensors, model.onnx, manifest.json
            2/

Every version is verified when the registry is opened. One that fails is left out, unless it is a default: what a
request that names no model would get must not quietly become another version. When the registry is renewed, as the
folder may have changed, nothing that fails takes the place of what is being served.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, get_args

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


@dataclass(frozen=True)
class ServedModel:
    """A version that was found to be whole."""

    manifest: Manifest
    folder: Path = field(compare=False)  # the same model may lie elsewhere too
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


@dataclass(frozen=True)
class LeftOut:
    """A version that is not served, and why."""

    path: Path  # its folder
    error: ModelError


Load = Callable[[ServedModel], object]
"""Is called with each version that is whole and not served yet; may raise a ModelError of its own."""


@dataclass(frozen=True)
class Registry:
    """The models that are served, by name and then version, and what was left out."""

    served: tuple[ServedModel, ...]
    left_out: tuple[LeftOut, ...] = ()

    @classmethod
    def open(
        cls,
        model_dir: Path,
        defaults: Mapping[Task, str] = DEFAULTS,
        *,
        load: Load = lambda _: None,
    ) -> "Registry":
        """Find and verify every NAME/VERSION/ in `model_dir`; what has another kind of name is ignored.

        `defaults` gives the default of each task, as NAME (its highest version) or NAME:VERSION; a task that is not in
        it has none. Raises the ModelError of a default that fails, and ModelNotFound when a default, or any model,
        is not there.
        """
        folders = dict(version_folders(model_dir))
        if not folders:
            raise ModelNotFound(f"There is no model in {model_dir}, whose folders would be NAME/VERSION/.")
        chosen = {_default_of(spec, task, folders, model_dir): task for task, spec in defaults.items()}
        models, left_out = [], []
        for (name, version), folder in sorted(folders.items()):
            task = chosen.get((name, version))
            try:
                model = ServedModel(_verify_as(folder, name, version, task), folder, default=task is not None)
                load(model)
            except ModelError as error:
                if task is not None:
                    raise
                left_out.append(LeftOut(folder, error))
            else:
                models.append(model)
        return cls(tuple(models), tuple(left_out))

    def again(self, *, load: Load = lambda _: None) -> "Registry":
        """The very same, in another process. Raises the ModelError of a version that is not what it was."""
        for model in self.served:
            if verify(model.folder) != model.manifest:
                raise DigestMismatch(f"{model.folder} is not the model that is being served as {model.spec}.")
            load(model)
        return self

    def renewed(
        self, model_dir: Path, defaults: Mapping[Task, str] = DEFAULTS, *, load: Load = lambda _: None
    ) -> "Registry":
        """What is to be served now that `model_dir` may have changed.

        A version that fails is left out; one of its name and number that is being served goes on, and so does a default
        that has no successor. Raises ModelNotFound when the folder cannot be read.
        """
        current = {(model.name, model.version): model for model in self.served}
        models, left_out = [], []
        for (name, version), folder in sorted(version_folders(model_dir)):
            known = current.get((name, version))
            try:
                model = ServedModel(_verify_as(folder, name, version, None), folder, default=False)
                if known is None or model.manifest != known.manifest:
                    load(model)
            except ModelError as error:
                left_out.append(LeftOut(folder, error))
                if known is not None:
                    models.append(known)
            else:
                models.append(model)
        return Registry(self._with_defaults(models, defaults), tuple(left_out))

    def _with_defaults(self, models: list[ServedModel], defaults: Mapping[Task, str]) -> tuple[ServedModel, ...]:
        """The models, with the default of each task: the highest version that `defaults` names, else what it was."""
        found = {(model.name, model.version): model for model in models}
        chosen = set()
        for task in get_args(Task):
            spec = defaults.get(task)
            named = [model for model in models if model.task == task and spec in (model.name, model.spec)]
            for model in named[-1:] or [model for model in self.served if model.default and model.task == task]:
                found[model.name, model.version] = model
                chosen.add((model.name, model.version))
        return tuple(replace(model, default=key in chosen) for key, model in sorted(found.items()))

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


def version_folders(model_dir: Path) -> Iterator[tuple[tuple[str, int], Path]]:
    """((name, version), folder) of every version in `model_dir`."""
    try:
        for named in model_dir.iterdir():
            if _NAME.fullmatch(named.name) and named.is_dir():
                for folder in named.iterdir():
                    if _VERSION.fullmatch(folder.name) and folder.is_dir():
                        yield (named.name, int(folder.name)), folder
    except OSError as error:
        raise ModelNotFound(f"The model folder {model_dir} cannot be read: {error.strerror}.") from error


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
