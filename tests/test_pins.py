"""The exact versions: constraints.txt, requirements.lock and the two pyproject.toml say the same."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
OURS = {"lenet5-client", "lenet5-serve"}


def _pins(file: str) -> dict[str, Version]:
    """The versions of a file with one `name==version` a line, hashes and comments aside."""
    lines = (ROOT / file).read_text().splitlines()
    stated = [line.removesuffix("\\").strip() for line in lines if line and not line.startswith(("#", " "))]
    pins = [Requirement(line) for line in stated]
    for pin in pins:
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), f"{file}: {pin} is no exact version"
    return {canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("==")) for pin in pins}


def _project(folder: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text())


def _direct() -> list[Requirement]:
    """What the two distributions name: dependencies, extras and build requirements."""
    found: list[str] = []
    for folder in (".", "client"):
        content = _project(folder)
        found += content["build-system"]["requires"] + content["project"]["dependencies"]
        found += [named for extra in content["project"].get("optional-dependencies", {}).values() for named in extra]
    return [requirement for requirement in map(Requirement, found) if requirement.name not in OURS]


def test_every_direct_dependency_is_pinned_to_a_version_that_pyproject_allows() -> None:
    """Each requirement of both distributions, extras and build included, has its exact version in constraints.txt."""
    pins = _pins("constraints.txt")
    for requirement in _direct():
        assert canonicalize_name(requirement.name) in pins, f"{requirement.name}: make constraints"
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_the_lock_is_a_part_of_the_constraints() -> None:
    """Every version in requirements.lock is the one in constraints.txt."""
    pins, lock = _pins("constraints.txt"), _pins("requirements.lock")
    assert lock == {name: pins.get(name) for name in lock}, "make lock"


def test_the_lock_has_all_that_the_service_names() -> None:
    """Each dependency of a plain install is in requirements.lock."""
    lock = _pins("requirements.lock")
    named = [*_project(".")["project"]["dependencies"], *_project("client")["project"]["dependencies"]]
    missing = {canonicalize_name(Requirement(line).name) for line in named} - set(lock) - OURS
    assert not missing, "make lock"


def test_every_line_of_the_lock_has_a_hash() -> None:
    """Each version in requirements.lock is followed by at least one SHA-256."""
    text = (ROOT / "requirements.lock").read_text()
    entries = re.findall(r"^\S+==\S+(.*?)(?=^\S|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert len(entries) == len(_pins("requirements.lock"))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)


@pytest.mark.parametrize("file", ["constraints.txt", "requirements.lock"])
def test_the_versions_are_those_of_any_index(file: str) -> None:
    """No file names an index, a path or a local build such as +cpu."""
    text = (ROOT / file).read_text()
    assert not re.search(
        r"://|^-|\+| @ ", "".join(line for line in text.splitlines(True) if not line.startswith("#")), re.M
    )


def test_the_cpu_service_needs_no_torch() -> None:
    """Neither torch nor anything of CUDA is in requirements.lock."""
    assert not [name for name in _pins("requirements.lock") if name in {"torch", "triton"} or name.startswith("nvidia")]
