"""One process measured, its queue simulated, many machines planned; fills docs/scale.md.

python -m benchmarks.scale          measures: three minutes; Linux, two cores, wrk
python -m benchmarks.scale --draw   measures nothing: the page from what was kept
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scale import measured, page
from benchmarks.speed import machine
from benchmarks.speed.part import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, keep, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each load")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    asked = parser.parse_args(arguments)
    if not asked.draw:
        result = measured.measure(Options(asked.rounds, asked.seconds, Path("runs/rivals").absolute(), (), None))
        result |= {"asked": {"rounds": asked.rounds, "seconds": asked.seconds}, "machine": machine.describe()}
        page.RESULT.write_text(json.dumps(result, indent=1) + "\n")
    page.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
