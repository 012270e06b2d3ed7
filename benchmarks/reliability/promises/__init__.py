"""One module a promise, each with a `PROMISE`; adding a promise is adding a module."""

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.reliability.promise import Promise


def promises() -> list[Promise]:
    """All of them, by number."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return sorted((module.PROMISE for module in modules), key=lambda promise: promise.number)


def chosen(asked: str) -> list[Promise]:
    """Those whose numbers or names are asked for, separated by commas; a number may be that of several.

    Raises ValueError for one that there is not.
    """
    known = promises()
    words = [word.strip() for word in asked.split(",")]
    if unknown := [word for word in words if not any(_is(word, promise) for promise in known)]:
        there = ", ".join(f"{promise.number} {promise.name}" for promise in known)
        raise ValueError(f"no promise {unknown[0]!r}; there are {there}")
    return [promise for word in words for promise in known if _is(word, promise)]


def _is(word: str, promise: Promise) -> bool:
    return word in (str(promise.number), promise.name)
