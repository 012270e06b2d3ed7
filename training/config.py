"""A training run is its config: one TOML file, read into frozen dataclasses.

An unknown key, a wrong type or an impossible value is an error that names the key and what is known.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from app.lenet.architecture import Architecture
from training.datasets import DATASETS
from training.errors import ConfigError

T = TypeVar("T")

InputForm = Literal["standardised", "paper", "shared"]
Validation = Literal["last", "writers"]


@dataclass(frozen=True)
class DataConfig:
    """Which digits are learnt, held out and tested."""

    train: str = "mnist-train"
    test: str = "mnist-test"
    limit: int = 0  # only the first so many digits of `train`; 0: all
    validation: Validation = "last"  # hold out the last digits, or those of writers of their own
    validation_digits: int = 10_000  # held out; with "writers", at least so many


@dataclass(frozen=True)
class Recipe:
    """How a network is taught: Adam on the cross-entropy, the learning rate falling to 0 along half a cosine."""

    epochs: int = 10
    batch_size: int = 64  # digits
    learning_rate: float = 1e-3  # of Adam, at the first step
    refit: bool = True  # once the recipe is measured on held-out digits, train the shipped model on all of them
    threads: int = 1  # of the CPU; part of what makes a run repeatable to the last bit


@dataclass(frozen=True)
class Config:
    """One training run."""

    name: str  # of the run: its checkpoints lie in runs/NAME-seedSEED/
    model: str = "lenet5"  # the model's name in the model folder
    ship: bool = True  # write into model_weights/ by default; else beside the checkpoints
    seed: int = 0
    accepted: float = 0.99  # share of the held-out digits whose confidence reaches the model's threshold
    input: InputForm = "standardised"  # the network's own first, fixed operation
    architecture: Architecture = field(default_factory=Architecture)
    data: DataConfig = field(default_factory=DataConfig)
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        for key, text in (("name", self.name), ("model", self.model)):
            if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]*", text):
                raise ConfigError(f"{key} is {text!r}; it names a folder, with letters, digits, '.', '_' and '-'")
        for key, text in (("data.train", self.data.train), ("data.test", self.data.test)):
            if text not in DATASETS:
                raise ConfigError(f"{key} is {text!r}; the known data sets are {', '.join(DATASETS)}")
        at_least = {
            "seed": (self.seed, 0),
            "data.limit": (self.data.limit, 0),
            "data.validation_digits": (self.data.validation_digits, 1),
            "recipe.epochs": (self.recipe.epochs, 1),
            "recipe.batch_size": (self.recipe.batch_size, 1),
            "recipe.threads": (self.recipe.threads, 1),
        }
        for key, (value, least) in at_least.items():
            if value < least:
                raise ConfigError(f"{key} is {value}, which is under {least}")
        if not self.recipe.learning_rate > 0:
            raise ConfigError(f"recipe.learning_rate is {self.recipe.learning_rate}, not above 0")
        if not 0.985 <= self.accepted <= 1:
            raise ConfigError(f"accepted is {self.accepted}, not between 0.985 and 1")
        if self.data.train == self.data.test:
            raise ConfigError(f"data.test is {self.data.test!r}, the set that is trained on")
        if self.data.validation == "writers" and self.data.train != "mnist-train":
            raise ConfigError("data.validation is 'writers', but only of mnist-train is it known who wrote what")

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
    return f"{key} = {value!r}"
