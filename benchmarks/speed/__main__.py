"""How fast serving and training are, beside others that do the same job; fills docs/performance.md.

    python -m benchmarks.speed                   every part
    python -m benchmarks.speed closed-loop       some parts
    python -m benchmarks.speed closed-loop --rounds 3 --only mosec_torch bare_asgi
    python -m benchmarks.speed --draw            no part: the page from what was kept

What is compared is measured in turn, round after round (A B A B); a table has the median of the rounds with the lowest
and the highest. Linux only; needs wrk and taskset.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed import (
    bulk,
    closed_loop,
    environments,
    fields,
    footprint,
    growth,
    machine,
    on_ray,
    open_loop,
    page,
    passes,
    pictures,
    profile,
    training,
    workers,
)
from benchmarks.speed.contestants import CONTESTANTS, NotStarted
from benchmarks.speed.part import Options
from training.errors import DatasetError

MODULES = (
    closed_loop,
    open_loop,
    pictures,
    passes,
    workers,
    footprint,
    fields,
    bulk,
    on_ray,
    training,
    profile,
    growth,
)
RIVALS = [contestant.module for contestant in CONTESTANTS if contestant.module]
PARTS = {module.PART.name: module.PART for module in MODULES}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, keep, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each load")
    parser.add_argument(
        "--environments", type=Path, default=Path("runs/rivals"), help="for the rivals' packages (default: %(default)s)"
    )
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LENET5_DATA_DIR"))
    parser.add_argument("--output", type=Path, default=page.RESULTS, help="for the results (default: %(default)s)")
    of = f"of closed-loop: {', '.join(RIVALS)}; a part of them is shown, and not kept among the page's results"
    parser.add_argument("--only", nargs="+", default=(), choices=RIVALS, metavar="RIVAL", help=of)
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; known are {', '.join(PARTS)}")
    options.environments.mkdir(parents=True, exist_ok=True)
    options.output.mkdir(parents=True, exist_ok=True)
    told = Options(
        options.rounds, options.seconds, options.environments.absolute(), tuple(options.only), options.data_dir
    )
    whole = options.output != page.RESULTS or not options.only
    failed = False
    for name in () if options.draw else options.parts or PARTS:
        try:
            result = PARTS[name].measure(told)
        except (DatasetError, FileNotFoundError, environments.NotInstalled, NotStarted) as error:
            print(f"{name} cannot be measured here: {error}", file=sys.stderr)
            failed = True
            continue
        result |= {"asked": {"rounds": told.rounds, "seconds": told.seconds}, "machine": machine.describe()}
        if whole:
            (options.output / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        sys.stdout.write(PARTS[name].markdown(result) + "\n")
    if options.output == page.RESULTS:
        page.write([*PARTS.values()])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
