"""client/README.md is true: its snippets run, and its table of errors is the code's."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lenet5_client import AsyncClient, Client
from lenet5_client.errors import ERRORS, Fault, Lenet5Error, RequestError
from lenet5_client.options import DigitOptions, ReadOptions
from running import Running
from test_client_errors import SERVICE

ROOT = Path(__file__).parents[2]
README = (ROOT / "client" / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PRINTED = [
    r"7 0\.\d+ True\n85615 True \[\]\n",
    r"7 85615\n",
    r"2 of 2\n7\.png 7\nzip\.png \d\n",
    r"invalid_image .*\.\n",
]


@pytest.mark.parametrize(("snippet", "printed"), list(zip(SNIPPETS, PRINTED, strict=True)))
def test_a_snippet_runs(service: Running, tmp_path: Path, snippet: str, printed: str) -> None:
    """As it stands, but for the port, and prints what it says."""
    for name in ("7.png", "zip.png"):
        shutil.copy(ROOT / "examples" / name, tmp_path)
    program = snippet.replace("http://127.0.0.1:8000", service.url)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    assert re.fullmatch(printed, done.stdout), done.stdout


def test_the_table_has_every_error() -> None:
    """Each with its code, its status and its sentence."""
    row = r"^\| \**(\w+)\** \| *`?(\w*)`? *\| *(\d*) *\| (.*) \|$"
    rows = {name: rest for name, *rest in re.findall(row, README, re.MULTILINE)}
    for kind in {RequestError, Fault, *ERRORS.values()}:
        code, status, sentence = rows.pop(kind.__name__)
        assert code == vars(kind).get("code", "")
        assert sentence == kind.__doc__
        if code:
            assert status == str(SERVICE.get(code, ""))
    assert not rows


def test_every_call_and_option_is_named() -> None:
    """Both clients have the same calls, and the page has each of them and each of their options."""
    calls = [name for name in vars(Client) if not name.startswith("_") and name != "close"]
    assert {name for name in vars(AsyncClient) if not name.startswith("_")} == {*calls, "aclose"}
    asked = [getattr(Client, call) for call in [*calls, "__init__"]]
    options = {name for call in asked for name in call.__annotations__} - {"return", "options"}
    options |= DigitOptions.__annotations__.keys() | ReadOptions.__annotations__.keys()
    attributes = vars(Lenet5Error("")).keys() | {"code"}
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE)
    named = {name for code in re.findall(r"`([^`]+)`", prose) for name in re.findall(r"\w+", code)}
    assert {*calls, *options, *attributes} - named == set()
