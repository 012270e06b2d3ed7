"""The steps, in the README's order and by its commands."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from benchmarks.walk import browser, pictures
from benchmarks.walk.journey import Journey
from benchmarks.walk.readme import URL, NotThere, Readme, differs
from benchmarks.walk.service import Service

MEGABYTE = 1_000_000  # bytes
NEARLY = 0.15  # of a size: an index may have a newer wheel for another Python
COMMAND = "python3 -m venv .venv"
REFERENCE = "docs/reference.md"
ERROR_RATE = "docs/error_rate.md"


@dataclass
class Walk:
    """What the steps share."""

    journey: Journey
    port: int
    service: Service | None = None
    truth: Mapping[str, str] = field(default_factory=dict)  # what the ZIP codes in zips/ say

    @property
    def readme(self) -> Readme:
        return Readme(self.journey.here)

    @property
    def url(self) -> str:
        return URL.replace("8000", str(self.port))

    def type(self, command: str, *, code: int | None = 0) -> str:
        """A command of the documentation, for the service where it is."""
        return self.journey.type(command.replace(URL, self.url), code=code)


def go(walk: Walk, repository: Path) -> None:
    """All of it. What needs the service ends with it, whatever happens on the way."""
    journey = walk.journey
    with journey.step("Clone"):
        clone(walk, repository)
    with journey.step("The size, then one command to a ready service"):
        install(walk)
    try:
        if walk.service is None or journey.steps[-1].fault:
            return
        with journey.step("The sizes, held against what was said"):
            sizes(walk)
        walk.truth = pictures.lay_out(journey.here)
        for title, step in STEPS.items():
            with journey.step(title):
                step(walk)
        with journey.step("Ctrl-C"):
            leave(walk)
    finally:
        if walk.service is not None:
            walk.service.kill()


def clone(walk: Walk, repository: Path) -> None:
    """Into a folder of its own."""
    walk.journey.see("$ git clone REPOSITORY lenet5-serve")
    there = walk.journey.home / "lenet5-serve"
    subprocess.run(["git", "clone", "--quiet", str(repository), str(there)], check=True, capture_output=True)
    walk.journey.here = there
    files = subprocess.run(["git", "ls-files", "-z"], cwd=there, check=True, capture_output=True).stdout.count(b"\0")
    walk.journey.see(f"{files} files, {_size(there) / MEGABYTE:.0f} MB with their history")


def install(walk: Walk) -> None:
    """Python's environment, packages and models, and the service in it."""
    download, installed = walk.readme.megabytes()
    walk.journey.see(f"The README says: {download} MB to download, {installed} MB installed.")
    command = walk.readme.snippet(COMMAND)
    walk.journey.see(f"$ {command}")
    variables = walk.journey.variables | ({} if walk.url == URL else {"LENET5_PORT": str(walk.port)})
    walk.service = Service(command, walk.journey.here, variables, walk.journey.home / "service.log")
    ready = walk.service.ready()
    walk.journey.see(*(line for line in walk.service.said() if line.startswith("Successfully installed")), ready)
    walk.journey.expect(walk.url in ready, f"it is ready, but not on {walk.url}")


def sizes(walk: Walk) -> None:
    """What pip brings, wheel by wheel, and what the environment then holds."""
    said = walk.readme.megabytes()
    wheels = walk.journey.home / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "-q", "-c", "constraints.txt", "-d", str(wheels), "./client", "."]
    subprocess.run(pip, cwd=walk.journey.here, check=True, capture_output=True)
    found = [_size(wheels) / MEGABYTE, _size(walk.journey.here / ".venv") / MEGABYTE]
    walk.journey.see("downloaded {:.0f} MB, installed {:.0f} MB".format(*found))
    for was, is_said in zip(found, said, strict=True):
        walk.journey.expect(abs(was - is_said) < NEARLY * is_said, f"{was:.0f} MB, where the README says {is_said} MB")


def page(walk: Walk) -> None:
    """The page says what is drawn while it is drawn."""
    with browser.opened(walk.url) as opened:
        digit, accepted, took = browser.draw(opened, walk.url)
    walk.journey.see(f"drawn on {walk.url}/: a 7", f"the page: {digit} - {accepted} ({took})")
    walk.journey.expect(accepted.startswith("Accepted"), accepted)


def pictures_by_curl(walk: Walk) -> None:
    """A digit, a phone's photo and a ZIP code are answered as is printed below the commands."""
    commands, printed = walk.readme.lines("curl -F"), walk.readme.lines('{"digit"')
    for command, said in zip(commands, printed, strict=True):
        answer = json.loads(walk.type(command))
        wrong = differs(said, answer)
        walk.journey.expect(not wrong, f"{command}: {', '.join(wrong)} not as in the README")


def no_digit(walk: Walk) -> None:
    """A cat is not accepted, and a code says why."""
    answer = json.loads(walk.type(f"curl -F file=@cat.jpg {URL}/predict"))
    walk.journey.see(f"accepted: {answer['accepted']}, reasons: {', '.join(answer['reasons'])}")
    walk.journey.expect(not answer["accepted"] and "not_a_digit" in answer["reasons"], "a cat is a digit")
    _fails(walk, "empty.png", "invalid_image")
    _fails(walk, "large.png", "body_too_large")


def _fails(walk: Walk, file: str, code: str) -> None:
    """One sentence, and a code that the reference has with this status."""
    body, _, status = (
        walk.type(f"curl -w '\\n%{{http_code}}\\n' -F file=@{file} {URL}/predict").strip().rpartition("\n")
    )
    error = json.loads(body)["error"]
    walk.journey.expect(error["code"] == code, f"{file}: {error['code']}, not {code}")
    documented = walk.readme.rows(REFERENCE)
    walk.journey.expect([status, f"`{code}`"] in [row[:2] for row in documented], f"{status} {code} is not documented")
    one_sentence = re.fullmatch(r"[A-Z][^.]*\.", error["message"])
    walk.journey.expect(one_sentence, f"{file}: no single sentence: {error['message']}")


def documentation(walk: Walk) -> None:
    """/docs tries an endpoint, and asks nobody else for anything."""
    with browser.opened(walk.url) as opened:
        status, body = browser.execute(opened, walk.url, walk.journey.here / "examples" / "7.png")
    walk.journey.see("POST /predict, Try it out, examples/7.png, Execute", f"{status}: {body}")
    walk.journey.expect(status == "200" and '"digit": 7' in body, "it does not say 7")


def client(walk: Walk) -> None:
    """The README's program, in the environment that its command has made."""
    program = walk.readme.snippet("from lenet5_client").replace(URL, walk.url)
    said = walk.type(f".venv/bin/python - <<'END'\n{program}\nEND")
    walk.journey.expect(said.strip() == "7", f"it prints {said.strip()!r}, not 7")


def folder(walk: Walk) -> None:
    """A row for each picture of a folder and of an archive, without any service."""
    walk.type(walk.readme.lines(".venv/bin/lenet5 predict")[0])
    found = pictures.rows(walk.journey.here / "digits.csv")
    with ZipFile(walk.journey.here / "scans.zip") as archive:
        expected = len(list((walk.journey.here / "folder").iterdir())) + len(archive.namelist())
    accepted = sum(row["accepted"] == "true" for row in found)
    walk.journey.see(
        f"digits.csv: {len(found)} rows, {accepted} accepted, {sum(bool(r['error']) for r in found)} errors"
    )
    walk.journey.expect(len(found) == expected, f"{expected} pictures have {len(found)} rows")
    walk.journey.expect(accepted > expected // 2, "most are not accepted")


def zips(walk: Walk) -> None:
    """Fewer are accepted, and fewer of these are wrong, at a smaller error rate."""
    commands = [walk.readme.lines(".venv/bin/lenet5 predict")[1]]
    commands += [
        f".venv/bin/{line}" for line in walk.readme.lines("curl", ERROR_RATE) if line.startswith("lenet5 read")
    ]
    counts = []
    for command in commands:
        walk.type(command)
        output = re.search(r"--output (\S+)", command)
        rate = re.search(r"--target-error (\S+)", command)
        if output is None or rate is None:
            raise NotThere(f"{command} has no error rate")
        found = pictures.rows(walk.journey.here / output[1])
        walk.journey.expect(len(found) == len(walk.truth), f"{len(walk.truth)} pictures have {len(found)} rows")
        accepted = [row for row in found if row["accepted"] == "true"]
        wrong = sum(row["text"] != walk.truth[row["file"]] for row in accepted)
        walk.journey.see(f"{output[1]}: at {rate[1]} {len(accepted)} of {len(found)} accepted, {wrong} of these wrong")
        counts.append((float(rate[1]), len(accepted)))
    by_rate = [accepted for _, accepted in sorted(counts)]
    walk.journey.expect(by_rate == sorted(by_rate) and by_rate[0] < by_rate[-1], "the error rate changes nothing")


def leave(walk: Walk) -> None:
    """Ctrl-C says what is still answered, and leaves with 0."""
    assert walk.service is not None
    before = len(walk.service.said())
    code = walk.service.interrupt()
    said = walk.service.said()[before:]
    walk.journey.see("^C", *said)
    walk.journey.expect(any("then leaving" in line for line in said), "it does not say what it still answers")
    walk.journey.expect(code == 0, f"exit code {code}")


Go = Callable[[Walk], None]
STEPS: Final[Mapping[str, Go]] = {
    "Open / and draw": page,
    "curl: a digit, a phone's photo, a ZIP code": pictures_by_curl,
    "A cat, an empty file, 100 MB": no_digit,
    "Execute an example in /docs, offline": documentation,
    "from lenet5_client import Client": client,
    "lenet5 predict folder/": folder,
    "The ZIP codes of a folder into a CSV, and another error rate": zips,
}


def _size(folder: Path) -> int:
    """Bytes of all files below a folder; a file that has several names, or is linked, counts once."""
    return sum({file.stat().st_ino: file.stat().st_size for file in folder.rglob("*") if _own(file)}.values())


def _own(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()
