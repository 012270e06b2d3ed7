"""The paths of an application, read from itself."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.routing import Mount, Route


def paths(routes: Iterable[Any]) -> Iterator[str]:
    """One path for each route, with something in place of what varies."""
    for route in routes:
        if isinstance(route, Route):
            yield re.sub(r"{[^}]*}", "x", route.path)
        elif isinstance(route, Mount):
            yield route.path + "/swagger-ui-bundle.js"
        else:  # FastAPI's wrapper of an included router; anything that has none fails here
            yield from paths(route.original_router.routes)
