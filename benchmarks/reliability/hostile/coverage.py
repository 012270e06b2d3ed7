"""A process that atheris leads to ever new paths through our code and Pillow's: its options are libFuzzer's.

    python -m benchmarks.reliability.hostile.coverage READER CORPUS -max_total_time=60

ends with an error where a picture raises what would be answered 500, or takes more than SECONDS of processor time.
"""

import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["app.imaging", "PIL"]):
    from benchmarks.reliability.hostile.reading import READERS
from benchmarks.reliability.hostile.seeds import seeds

SECONDS = 0.25


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    read, corpus = READERS[sys.argv.pop(1)], Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(picture)

    def one(data: bytes) -> None:
        start = time.thread_time()
        read(data, 1)
        if (took := time.thread_time() - start) > SECONDS:
            raise RuntimeError(f"a picture took {took:.3f} s")

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
