"""Calls lenet5-serve: `Client`, `AsyncClient` for asyncio, and what both raise.

Each name is loaded when it is first used, so that `lenet5_client.schemas` is to be had without an HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenet5_client.asynchronous import AsyncClient
    from lenet5_client.errors import Lenet5Error
    from lenet5_client.synchronous import Client
else:  # what a type checker would take for a module that has every name

    def __getattr__(name: str) -> object:
        homes = {"AsyncClient": "asynchronous", "Client": "synchronous", "Lenet5Error": "errors"}
        if name not in homes:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{homes[name]}"), name)


__all__ = ["AsyncClient", "Client", "Lenet5Error"]
