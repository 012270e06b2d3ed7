"""Promise 12: a model of which a bit is wrong, the end is missing or the manifest is another's is never served."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from app.errors import ModelError
from app.lenet.registry import Registry, default_model_dir
from app.lenet.weights import GRAPH, MANIFEST, WEIGHTS, manifest_json
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial

FILES = (WEIGHTS, GRAPH, MANIFEST)
FLIPS = 100_000
FLIP_EVERY = 6
"""Cases from one flipped bit to the next; those between are files cut short, so that few cases show both."""
STRIDE = 7_919
"""Files are cut in steps of this prime, so that few cases show short and long ones."""


class Subject:
    """Two versions of one model: 1 is whole and served, 2 is to be spoilt."""

    def __init__(self, model_dir: Path) -> None:
        shipped = Registry.open(default_model_dir()).resolve("lenet5", "digit").folder
        self.model_dir = model_dir
        self.new = model_dir / "lenet5" / "2"
        for version in (1, 2):
            folder = model_dir / "lenet5" / str(version)
            folder.mkdir(parents=True)
            for name in FILES:
                shutil.copyfile(shipped / name, folder / name)
            manifest = json.loads((shipped / MANIFEST).read_text())
            (folder / MANIFEST).write_bytes(manifest_json(manifest | {"version": version}))
        self.contents = {name: (self.new / name).read_bytes() for name in FILES}

    def restore(self, name: str) -> None:
        """Make a file what it was."""
        (self.new / name).write_bytes(self.contents[name])


Fault = Callable[[Subject], str | None]
"""What is wrong with how a spoilt version was met; None when it was refused as promised."""


class Refused:
    """Held against the registry, as a start and as a reload see it."""

    def __init__(self, subject: Subject) -> None:
        whole = Registry.open(subject.model_dir)
        self._meant = whole.served
        self._serving = Registry(tuple(model for model in whole.served if model.version == 1))

    def __call__(self, subject: Subject) -> str | None:
        """A start stops with one line, a reload goes on with version 1; what says the same as before is no fault."""
        try:
            if Registry.open(subject.model_dir).served == self._meant:
                return None
        except ModelError as error:
            if "\n" in error.message:
                return f"not one line: {error.message!r}"
        else:
            return "a start serves it"
        renewed = self._serving.renewed(subject.model_dir)
        if [model.version for model in renewed.served] != [1] or len(renewed.left_out) != 1:
            return "a reload serves it"
        return None


def believed(subject: Subject) -> str | None:
    """As a loader that trusts what it can parse: JSON, and safetensors' own checks."""
    try:
        json.loads((subject.new / MANIFEST).read_bytes())
        load_file(subject.new / WEIGHTS)
    except (ValueError, SafetensorError):
        return None
    return "it is served"


def _truncations() -> int:
    """How many there are of the three files."""
    with TemporaryDirectory() as folder:
        return sum(map(len, Subject(Path(folder)).contents.values()))


def _spoil(subject: Subject, case: int, rng: np.random.Generator) -> tuple[str, str]:
    """Spoil one file; returns its name, and what was done."""
    if case % FLIP_EVERY == 0:
        name = FILES[int(rng.integers(len(FILES)))]
        content = bytearray(subject.contents[name])
        place, bit = int(rng.integers(len(content))), int(rng.integers(8))
        content[place] ^= 1 << bit
        (subject.new / name).write_bytes(content)
        return name, f"bit {bit} of byte {place} of {name} flipped"
    sizes = {name: len(content) for name, content in subject.contents.items()}
    cut = (case - case // FLIP_EVERY - 1) * STRIDE % sum(sizes.values())
    for name, size in sizes.items():
        if cut < size:
            with (subject.new / name).open("r+b") as file:
                file.truncate(cut)
            return name, f"{name} cut to {cut} bytes"
        cut -= size
    raise AssertionError


def _swapped(subject: Subject, fault: Fault) -> list[str]:
    """The manifest of every other shipped model, as it is and with this one's name and version."""
    found = []
    for model in Registry.open(default_model_dir()).served:
        other = model.manifest.to_dict()
        if other["sha256"] == json.loads(subject.contents[MANIFEST])["sha256"]:
            continue
        for values in (other, other | {"name": "lenet5", "version": 2, "task": "digit"}):
            (subject.new / MANIFEST).write_bytes(manifest_json(values))
            if said := fault(subject):
                found.append(f"the manifest of {model.spec}: {said}")
    subject.restore(MANIFEST)
    return found


def _measure(make_fault: Callable[[Subject], Fault], ask: Ask) -> Trial:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        subject, rng = Subject(Path(folder)), ask.rng()
        fault = make_fault(subject)
        swapped = _swapped(subject, fault)
        notes = []
        for case in range(ask.start, ask.start + ask.amount):
            name, done = _spoil(subject, case, rng)
            if said := fault(subject):
                notes.append(f"{done}: {said}")
            subject.restore(name)
    figures = {"swapped manifests served": len(swapped)}
    return Trial(ask.amount, len(notes), figures, (*swapped, *notes))


def _full() -> int:
    """So many that every file is cut to every length; of each six cases one is a flip."""
    return -(-_truncations() * FLIP_EVERY // (FLIP_EVERY - 1))


PROMISE = Promise(
    number=12,
    name="corrupt-weights",
    says="a model with a flipped bit, cut to any length or with another's manifest is never served: a start stops with "
    "one line, a reload goes on with the version before",
    unit="spoilt models",
    full=_full(),
    small=3_000,
    portion=100_000,
    bounds={"swapped manifests served": Bound("", most=0)},
    keep=lambda ask: _measure(Refused, ask),
    control=lambda ask: _measure(lambda _: believed, ask),
    against="a loader that trusts what safetensors and JSON can parse",
)
