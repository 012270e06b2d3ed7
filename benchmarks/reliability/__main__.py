"""Whether the service keeps what docs/reliability.md promises; fills that page.

    python -m benchmarks.reliability                     goes on with every promise, up to its full amount
    python -m benchmarks.reliability --only 2,floods     with these alone, by number or name
    python -m benchmarks.reliability --only 9 --add 0.1  a tenth of the full amount more
    python -m benchmarks.reliability --quick             small amounts of those that CI measures, whose machine is
                                                         nobody's alone: times are told, not held; keeps nothing
    python -m benchmarks.reliability --draw              nothing but the page

A promise is measured in portions. What a portion showed is kept at once, and the next run goes on behind it; amounts
and failures add up, of the figures the worst is kept. Each promise has a control: the same measurement of what is
known not to keep it, which must fail. Linux only.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability import page
from benchmarks.reliability.ledger import Ledger, portions
from benchmarks.reliability.promise import Ask, Promise, measured
from benchmarks.reliability.promises import chosen, promises


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, keep, print, and write the page; 1 when a promise was broken, or a control kept it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="PROMISES", help="numbers or names, separated by commas")
    parser.add_argument("--quick", action="store_true", help="small amounts, kept nowhere")
    parser.add_argument("--add", type=float, metavar="SHARE", help="this share of the full amount more, done or not")
    parser.add_argument("--afresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--controls", action="store_true", help="measure the controls anew")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=40, help="no portion of a promise begins after so many")
    parser.add_argument("--output", type=Path, default=page.RESULTS, help="for the results (default: %(default)s)")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    try:
        asked = chosen(options.only) if options.only else [one for one in promises() if one.in_ci or not options.quick]
    except ValueError as error:
        parser.error(str(error))
    kept = True
    for promise in () if options.draw else asked:
        ledger = Ledger(None) if options.quick else Ledger.of(options.output, promise, afresh=options.afresh)
        amount = _amount(promise, options, ledger.amount)
        kept &= _measure(promise, ledger, amount, options.seed, options.minutes, times=not options.quick)
        if options.controls or ledger.control is None:
            kept &= _control(promise, ledger, options.seed)
    if options.output == page.RESULTS and not options.quick:
        page.write(promises())
    return int(not kept)


def _amount(promise: Promise, options: argparse.Namespace, done: int) -> int:
    """Cases to add."""
    if options.quick:
        return promise.small
    if options.add is not None:
        return max(1, round(float(options.add) * promise.full))
    return max(0, promise.full - done)


def _measure(promise: Promise, ledger: Ledger, amount: int, seed: int, minutes: float, *, times: bool) -> bool:
    """Add to the ledger; whether all of it kept the promise, `times` among what it promised."""
    end, kept = time.monotonic() + 60 * minutes, True
    for start, cases in portions(promise, ledger.amount, amount):
        if (began := time.monotonic()) >= end:
            break
        trial, repeated = measured(promise, Ask(cases, start, seed))
        ledger.add(promise, trial, time.monotonic() - began, repeated=repeated)
        kept &= not promise.broken(trial) or (promise.only_late(trial) and not times)
        _say(page.line(promise, ledger))
    return kept


def _control(promise: Promise, ledger: Ledger, seed: int) -> bool:
    """Measure the control; whether it failed, as it has to."""
    began = time.monotonic()
    trial = promise.control(Ask(promise.small, 0, seed))
    ledger.add_control(promise, trial, time.monotonic() - began)
    found = promise.broken(trial)
    _say(f"  control, {promise.against}: {'; '.join(found) or 'KEPT IT, so nothing is proved'}")
    return bool(found)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
