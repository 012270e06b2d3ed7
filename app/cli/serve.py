"""`lenet5 serve`: one process, or several under a supervisor."""

import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import cyclopts

from app.cli.ends import Exit, fail, say
from app.metrics_folder import VARIABLE
from app.settings import Settings

if TYPE_CHECKING:
    import socket

    from app.lenet.registry import Registry


def serve(*, settings: Annotated[Settings | None, cyclopts.Parameter(name="*")] = None) -> None:
    """Serve digits and fields over HTTP until SIGTERM or Ctrl-C.

    ```sh
    lenet5 serve                                 # on http://127.0.0.1:8000
    curl -F file=@7.png http://127.0.0.1:8000/predict
    lenet5 serve --host 0.0.0.0 --workers 4      # for other machines, more cores
    lenet5 serve --model-dir DIR                 # NAME/VERSION/ of one's own
    ```

    One line on standard error says when it is ready, where and on which device; a browser finds /docs there.

    A signal drains: /health/ready says 503 and requests are served on for --drain-delay; then nothing new is taken,
    and what was accepted is answered within --drain-timeout. A second Ctrl-C leaves at once.

    Every option is also an environment variable; an option wins, and an empty variable counts as unset. Exit codes:
    0 after a shutdown that was asked for, 1 when it could not start or its device computes no more (one line on
    standard error says why), 2 for a wrong option.
    """
    settings = settings or Settings()
    from app.logs import configure, why  # noqa: PLC0415 - --help must come quickly

    configure(level=settings.log_level, form=settings.log_format)
    os.environ.pop(VARIABLE, None)  # one process counts in its own memory, and several where their supervisor says
    try:
        from app.keys import keys_given  # noqa: PLC0415
        from app.server import bind  # noqa: PLC0415

        # Read once, so that a worker that starts later takes the same keys.
        keys = keys_given(settings.api_keys, settings.api_keys_file)
        settings = settings.model_copy(update={"api_keys": keys, "api_keys_file": None})
        with bind(settings) as listener:
            (_serve_many if settings.workers > 1 else _serve_one)(settings, listener)
    except Exception as error:  # noqa: BLE001 - one line, whatever it is
        fail(why(error), Exit.FAILED)


def _serve_one(settings: Settings, listener: "socket.socket") -> None:
    from app.main import create_app  # noqa: PLC0415
    from app.server import serve as serve_here  # noqa: PLC0415

    service = create_app(settings)
    engine = service.state.service.engine
    backend = engine.digit_model(None).backend
    serve_here(
        service,
        listener,
        settings,
        listening=lambda: _say_ready(settings, listener, engine.registry, backend.device, backend.name),
        leaving=lambda in_flight: _say_leaving(f"{in_flight} request{'s' * (in_flight != 1)} under way"),
    )


def _serve_many(settings: Settings, listener: "socket.socket") -> None:
    from app.runtime import SERVING, chosen  # noqa: PLC0415
    from app.supervisor import Supervisor  # noqa: PLC0415

    device = chosen(settings.device)
    Supervisor(settings, listener).run(
        listening=lambda models: _say_ready(settings, listener, models, device, SERVING[device]),
        leaving=lambda: _say_leaving(f"what is under way in {settings.workers} workers"),
    )


def _say_ready(settings: Settings, listener: "socket.socket", models: "Registry", device: str, backend: str) -> None:
    """For people on standard error, for machines in the log."""
    import structlog  # noqa: PLC0415

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    where = f"http://{host}:{listener.getsockname()[1]}"
    served = [model.spec for model in models.served]
    what = f"{', '.join(served)} on {device} ({backend})" + f", {settings.workers} workers" * (settings.workers > 1)
    structlog.get_logger("lenet5").info(
        "ready",
        version=version("lenet5-serve"),
        address=where,
        models=served,
        device=device,
        backend=backend,
        workers=settings.workers,
    )
    print(f"lenet5-serve {version('lenet5-serve')} is ready on {where}: {what}", file=sys.stderr, flush=True)  # noqa: T201


def _say_leaving(what: str) -> None:
    say(f"answering {what}, then leaving; Ctrl-C again leaves at once")
