"""Logs on standard output, for people or as JSON; uvicorn's own records come in the same form.

Tracebacks never show local variables: they would hold pictures.
"""

import logging
import sys
from typing import Literal

import structlog

from app.errors import ServiceError


def configure(*, level: str, form: Literal["console", "json"]) -> None:
    """Send every log line of the process to standard output in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        render: list[structlog.typing.Processor] = [
            structlog.processors.ExceptionRenderer(traceback),
            structlog.processors.JSONRenderer(),
        ]
    else:
        plain = structlog.dev.plain_traceback
        render = [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain)]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render]
        )
    )
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def why(error: Exception) -> str:
    """One line on what ended the process; of a fault of ours the log has the traceback."""
    if isinstance(error, ServiceError):
        return error.message
    structlog.get_logger("lenet5").error("a fault of ours", exc_info=error)
    return f"a fault of ours: {type(error).__name__}: {error}; the log has more"
