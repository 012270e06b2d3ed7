"""A training run is its config: one TOML file, read into frozen dataclasses.

An unknown key, a wrong type or an impossible value is an error that names the key and what is known.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from app.lenet.architecture import Architecture
from app.lenet.model import InitialWeights
from training.augment import Distortions
from training.datasets import DATASETS, RUBBISH
from training.datasets.cheque_amounts import FOLDS
from training.errors import ConfigError
from training.split import HELD_OUT

T = TypeVar("T")

InputForm = Literal["standardised", "paper", "shared"]
Validation = Literal["last", "writers"]
Network = Literal["lenet5", "teacher"]
Criterion = Literal["cross_entropy", "map"]


@dataclass(frozen=True)
class DataConfig:
    """Which digits are learnt, held out and tested."""

    train: str = "mnist-train"
    also: tuple[str, ...] = ()  # sets of digits to learn from beside `train`, all but every tenth of theirs
    test: str = "mnist-test"
    limit: int = 0  # only the first so many digits of `train`; 0: all
    validation: Validation = "last"  # hold out the last digits, or those of writers of their own
    validation_digits: int = 10_000  # held out of `train`; with "writers", at least so many
    continental: int = 0  # ones and sevens of `train` with a flag, a foot or a bar more
    printed: int = 0  # digits of fonts
    rerendered: int = 0  # digits of `train` drawn anew as pictures of other sizes, papers and pens, and normalised
    fields: int = 0  # strings of `train`'s digits by one writer each, of which every candidate is learnt from
    cheques: int = 0  # pictures of each amount of `cheque_amounts`, the others varied, learnt from in the same way
    fold: int = -1  # of `cheque_amounts`, which is left out; -1: none


@dataclass(frozen=True)
class Rubbish:
    """What the network learns as its last class, "no digit", and never sees as anything else."""

    pictures: int = 0  # made of cut digits, pairs, scribbles, letters and textures; a tenth more is held out
    marks: str = ""  # a set of marks to learn beside them, all but every tenth
    share: float = 0.01  # of what callers send, by which the calibration weighs the held-out ones


@dataclass(frozen=True)
class Distillation:
    """Learning from a larger network's answers too (Hinton, Vinyals and Dean 2015)."""

    teachers: tuple[str, ...] = ()  # names of runs, NAME-seedSEED, that lie beside this one; their logits are averaged
    weight: float = 0.7  # of the teachers' answers in the loss; the labels have the rest
    temperature: float = 3.0  # at which the answers are compared


@dataclass(frozen=True)
class Graph:
    """Learning from whole fields too, through the graph of their candidates (LeCun et al. 1998, section VI.E)."""

    weight: float = 0.0  # of - log posterior of a field's right readings, beside the loss of single examples


@dataclass(frozen=True)
class Recipe:
    """How a network is taught: Adam, the learning rate falling to 0 along half a cosine."""

    start: str = ""  # the name of a run, NAME-seedSEED, that lies beside this one: its weights are the first
    epochs: int = 10
    batch_size: int = 64  # digits
    learning_rate: float = 1e-3  # of Adam, at its highest
    warm_up: int = 0  # steps over which the learning rate rises to that
    weight_decay: float = 0.0  # of AdamW: a weight shrinks by this times the learning rate at each step
    initial_weights: InitialWeights = "fan_in"
    criterion: Criterion = "cross_entropy"
    rubbish_penalty: float = 0.0  # j of the MAP criterion (eq. 9), the penalty of the paper's rubbish class
    average: float = 0.0  # decay, per step, of the exponential average of the weights that is kept; 0: the last weights
    copies: int = 0  # distorted copies of all examples, made beforehand and learnt in turn; 0: distorted anew each time
    refit: bool = True  # once the recipe is measured on held-out digits, train the shipped model on all of them
    threads: int = 1  # of the CPU; part of what makes a run repeatable to the last bit


@dataclass(frozen=True)
class Config:
    """One training run."""

    name: str  # of the run: its checkpoints lie in runs/NAME-seedSEED/
    model: str = "lenet5"  # the model's name in the model folder
    network: Network = "lenet5"  # a "teacher" is larger, stays in the run's folder and is never served
    task: Literal["digit", "field"] = "digit"  # what the model is served for
    ship: bool = True  # write into model_weights/ by default; else beside the checkpoints
    seed: int = 0
    accepted: float = 0.99  # share of the held-out digits whose confidence reaches the model's threshold
    input: InputForm = "standardised"  # the network's own first, fixed operation
    architecture: Architecture = field(default_factory=Architecture)
    data: DataConfig = field(default_factory=DataConfig)
    rubbish: Rubbish = field(default_factory=Rubbish)
    distortions: Distortions = field(default_factory=Distortions)
    distillation: Distillation = field(default_factory=Distillation)
    graph: Graph = field(default_factory=Graph)
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        for key, text in (("name", self.name), ("model", self.model)):
            if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]*", text):
                raise ConfigError(f"{key} is {text!r}; it names a folder, with letters, digits, '.', '_' and '-'")
        also = [("data.also", name) for name in self.data.also]
        for key, text in (("data.train", self.data.train), ("data.test", self.data.test), *also):
            if text not in DATASETS:
                raise ConfigError(f"{key} is {text!r}; the known data sets are {', '.join(DATASETS)}")
        self._check_numbers()
        rubbish = bool(self.rubbish.pictures or self.rubbish.marks)
        if rubbish != (self.architecture.num_classes == RUBBISH + 1):
            raise ConfigError(
                f"architecture.num_classes is {self.architecture.num_classes}, but it is {RUBBISH + 1} with [rubbish] "
                f"pictures or marks, and {RUBBISH} without"
            )
        if not 0.985 <= self.accepted <= 1:
            raise ConfigError(f"accepted is {self.accepted}, not between 0.985 and 1")
        if self.data.test in (self.data.train, *self.data.also):
            raise ConfigError(f"data.test is {self.data.test!r}, which is trained on")
        if (self.data.fields or self.data.cheques) and not rubbish:
            raise ConfigError("data.fields and data.cheques teach what is no digit, but there is no [rubbish]")
        if self.data.fields and (self.data.validation != "writers" or self.data.validation_digits != HELD_OUT):
            raise ConfigError(f"data.fields needs data.validation = 'writers' and data.validation_digits = {HELD_OUT}")
        if self.graph.weight and not ((self.data.fields or self.data.cheques) and self.recipe.start):
            raise ConfigError(
                "graph.weight is for data.fields or data.cheques, and for a network that recipe.start names"
            )
        if self.data.fold >= FOLDS:
            raise ConfigError(f"data.fold is {self.data.fold}, but there are {FOLDS}, counted from 0")
        if self.data.validation == "writers" and self.data.train != "mnist-train":
            raise ConfigError("data.validation is 'writers', but only of mnist-train is it known who wrote what")

    def _check_numbers(self) -> None:
        at_least = {
            "seed": (self.seed, 0),
            "data.limit": (self.data.limit, 0),
            "data.validation_digits": (self.data.validation_digits, 1),
            "data.continental": (self.data.continental, 0),
            "data.printed": (self.data.printed, 0),
            "data.rerendered": (self.data.rerendered, 0),
            "data.fields": (self.data.fields, 0),
            "data.cheques": (self.data.cheques, 0),
            "data.fold": (self.data.fold, -1),
            "rubbish.pictures": (self.rubbish.pictures, 0),
            "distillation.weight": (self.distillation.weight, 0),
            "graph.weight": (self.graph.weight, 0),
            "recipe.warm_up": (self.recipe.warm_up, 0),
            "recipe.weight_decay": (self.recipe.weight_decay, 0),
            "recipe.average": (self.recipe.average, 0),
            "recipe.copies": (self.recipe.copies, 0),
            "recipe.epochs": (self.recipe.epochs, 1),
            "recipe.batch_size": (self.recipe.batch_size, 1),
            "recipe.threads": (self.recipe.threads, 1),
        }
        for key, (value, least) in at_least.items():
            if value < least:
                raise ConfigError(f"{key} is {value}, which is under {least}")
        for key, value in (
            ("recipe.learning_rate", self.recipe.learning_rate),
            ("distillation.temperature", self.distillation.temperature),
        ):
            if not value > 0:
                raise ConfigError(f"{key} is {value}, not above 0")
        if self.distillation.weight > 1:
            raise ConfigError(f"distillation.weight is {self.distillation.weight}, which is above 1")
        if not 0 < self.rubbish.share < 1:
            raise ConfigError(f"rubbish.share is {self.rubbish.share}, not between 0 and 1")
        if not self.recipe.average < 1:
            raise ConfigError(f"recipe.average is {self.recipe.average}, not under 1")

    def to_dict(self) -> dict[str, Any]:
        """Every value, defaults included, as JSON and TOML can hold it."""
        return asdict(self)


def load(path: Path) -> Config:
    """Read a config.

    Raises:
        ConfigError: the file cannot be read, or is not a config; the message names the key.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        return parse(values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse(values: Mapping[str, Any]) -> Config:
    """A config from the values of a TOML document.

    Raises:
        ConfigError: a key is unknown or missing, a type is wrong, or a value cannot be.
    """
    return _build(Config, values, "")


def _build(cls: type[T], values: Mapping[str, Any], prefix: str) -> T:
    known = get_type_hints(cls)
    for key in values:
        if key not in known:
            raise ConfigError(f"unknown key {prefix + key!r}; known here are {', '.join(known)}")
    if prefix == "" and "name" not in values:
        raise ConfigError("the key 'name' is missing")
    arguments = {key: _value(known[key], value, prefix + key) for key, value in values.items()}
    try:
        return cls(**arguments)
    except ValueError as error:
        raise ConfigError(f"in [{prefix.rstrip('.')}]: {error}") from error


def _value(kind: Any, value: Any, key: str) -> Any:
    """`value` if it is of the type `kind`; a whole number will do for a float."""
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise ConfigError(f"{key} is {value!r}, not a table [{key}]")
        return _build(kind, value, f"{key}.")  # type: ignore[arg-type]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ConfigError(f"{key} is {value!r}; known are {', '.join(map(repr, get_args(kind)))}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{key} is {value!r}, not a list")
        return tuple(_value(get_args(kind)[0], item, key) for item in value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:  # not isinstance: True is no whole number here
        raise ConfigError(f"{key} is {value!r}, which is {type(value).__name__}, not {kind.__name__}")
    return value


def to_toml(config: Config) -> str:
    """The config as a TOML file that `load` reads back to an equal one."""
    tops = [_line(f.name, getattr(config, f.name)) for f in fields(config) if not is_dataclass(getattr(config, f.name))]
    tables = [
        [f"[{f.name}]", *(_line(key, value) for key, value in asdict(getattr(config, f.name)).items())]
        for f in fields(config)
        if is_dataclass(getattr(config, f.name))
    ]
    return "\n\n".join("\n".join(lines) for lines in [tops, *tables]) + "\n"


def _line(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"{key} = {str(value).lower()}"
    if isinstance(value, str):
        return f'{key} = "{value}"'
    if isinstance(value, tuple):
        return f"{key} = {json.dumps(value)}"
    return f"{key} = {value!r}"
