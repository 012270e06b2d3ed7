"""docker compose as a user runs it, on the project's own files."""

import json
import os
import subprocess
from pathlib import Path

from engine import ROOT

PROJECT = "lenet5-compose-test"


class Compose:
    """The project's compose file with an overlay for one test."""

    def __init__(self, overlay: Path) -> None:
        self._overlay = overlay
        self.files = ["docker-compose.yml"]
        self.variables = {"LENET5_PUBLISH": "127.0.0.1:0", "LENET5_DRAIN_DELAY": "0"}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        files = [option for file in (*self.files, self._overlay) for option in ("-f", str(ROOT / file))]
        command = ["docker", "compose", "-p", PROJECT, *files, *arguments]
        variables = os.environ | self.variables
        return subprocess.run(command, capture_output=True, text=True, check=False, env=variables, timeout=120)

    def overlay(self, **service: object) -> None:
        """Add to the service."""
        self._overlay.write_text(json.dumps({"services": {"lenet5": service}}))  # YAML reads JSON
