"""`lenet5`, and `python -m app`: signals first, since what comes next takes most of a second to import."""

import os
import signal
import sys


def main() -> None:
    """The console script.

    Until a server takes the signals over nothing was accepted, so there is nothing to finish: `serve` ends with 0, any
    other command with 130 or 143, as a shell does.
    """
    serve = sys.argv[1:2] == ["serve"]
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda came, _: os._exit(0 if serve else 128 + came))
    if serve:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # a reload that is asked for too early comes later
    from app.cli import main as command_line  # noqa: PLC0415 - after the signals

    command_line()


if __name__ == "__main__":
    main()
