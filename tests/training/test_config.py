"""A config is read strictly, and its errors teach."""

from pathlib import Path

import pytest

from app.lenet.architecture import Architecture
from training import config
from training.config import Config, Recipe, parse
from training.errors import ConfigError

CONFIGS = Path(config.__file__).parent / "configs"


def test_the_baseline_is_the_documented_recipe() -> None:
    """`baseline.toml` is full C3 and a linear output on standardised MNIST, Adam 1e-3, 10 epochs of batches of 64."""
    baseline = config.load(CONFIGS / "baseline.toml")
    assert baseline.architecture == Architecture(c3="full", output="linear", squash_subsampling=False)
    assert baseline.recipe == Recipe(epochs=10, batch_size=64, learning_rate=1e-3, refit=True)
    assert (baseline.input, baseline.data.train, baseline.data.validation) == ("standardised", "mnist-train", "last")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_config_survives_being_written(path: Path, tmp_path: Path) -> None:
    """What is laid beside a model reads back to the same config."""
    one = config.load(path)
    (tmp_path / "x.toml").write_text(config.to_toml(one))
    assert config.load(tmp_path / "x.toml") == one
    assert one.name == path.stem


def test_what_is_left_out_has_its_default() -> None:
    """A name is enough."""
    assert parse({"name": "x"}) == Config(name="x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "'name' is missing"),
        ({"name": "x", "epochs": 3}, "unknown key 'epochs'; known here are name, model"),
        ({"name": "x", "recipe": {"epoch": 3}}, "unknown key 'recipe.epoch'; known here are start, epochs, batch_size"),
        ({"name": "x", "architecture": {"c4": "full"}}, "unknown key 'architecture.c4'; known here are num_classes"),
        ({"name": "x", "recipe": {"epochs": "3"}}, "recipe.epochs is '3', which is str, not int"),
        ({"name": "x", "recipe": {"epochs": 3.0}}, "recipe.epochs is 3.0, which is float, not int"),
        ({"name": "x", "recipe": {"epochs": True}}, "recipe.epochs is True, which is bool, not int"),
        ({"name": "x", "recipe": {"refit": 1}}, "recipe.refit is 1, which is int, not bool"),
        ({"name": "x", "recipe": 3}, r"recipe is 3, not a table \[recipe\]"),
        ({"name": "x", "recipe": {"epochs": 0}}, "recipe.epochs is 0, which is under 1"),
        ({"name": "x", "recipe": {"learning_rate": float("nan")}}, "recipe.learning_rate is nan"),
        ({"name": "x", "data": {"train": "mnits"}}, "data.train is 'mnits'; the known data sets are mnist-train"),
        ({"name": "x", "data": {"test": "mnist-train"}}, "which is trained on"),
        ({"name": "x", "data": {"validation": "first"}}, "data.validation is 'first'; known are 'last', 'writers'"),
        ({"name": "x", "data": {"train": "usps", "validation": "writers"}}, "only of mnist-train"),
        ({"name": "x", "architecture": {"c3": "half"}}, "architecture.c3 is 'half'; known are 'full', 'table1'"),
        ({"name": "x", "architecture": {"pool_kernel": 0}}, r"in \[architecture\]: pool_kernel is 0"),
        ({"name": "x", "accepted": 0.9}, "accepted is 0.9"),
        ({"name": "x/../y"}, "name is 'x/../y'"),
    ],
)
def test_a_wrong_config_names_the_key(values: dict[str, object], message: str) -> None:
    """An unknown key, a wrong type or an impossible value is an error that says which and what is known."""
    with pytest.raises(ConfigError, match=message):
        parse(values)


@pytest.mark.parametrize("content", [b"name = ", b"\xff", None], ids=["no TOML", "no UTF-8", "no file"])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A file that is no TOML, or not there, is an error with its name."""
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"x\.toml: "):
        config.load(path)
