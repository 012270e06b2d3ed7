"""What the documentation says of the code is what the code says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_reference_is_what_the_code_prints():
    """docs/reference.md holds today's settings, error codes and metrics."""
    printed = subprocess.run(
        [sys.executable, "docs/print_reference.py"], cwd=ROOT, env={"PYTHONPATH": "."}, check=True, capture_output=True
    ).stdout
    assert (ROOT / "docs" / "reference.md").read_bytes() == printed
