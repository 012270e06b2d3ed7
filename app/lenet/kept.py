"""Copies of the models that are served: from these they can be loaded again, whatever became of the model folder."""

import shutil
from dataclasses import replace
from pathlib import Path

from app.lenet.atomic_folder import write_folder
from app.lenet.registry import Registry, ServedModel


def kept(registry: Registry, folder: Path) -> Registry:
    """The same models, out of copies in `folder`, which holds no others afterwards. Raises OSError.

    A copy is not verified: who loads it does that.
    """
    folder.mkdir(exist_ok=True)
    models = tuple(_copied(model, folder / model.manifest.digest) for model in registry.served)
    for old in set(folder.iterdir()) - {model.folder for model in models}:
        shutil.rmtree(old)
    return replace(registry, served=models)


def _copied(model: ServedModel, target: Path) -> ServedModel:
    if not target.exists():
        write_folder(target, {file.name: file.read_bytes() for file in model.folder.iterdir() if file.is_file()})
    return replace(model, folder=target)
