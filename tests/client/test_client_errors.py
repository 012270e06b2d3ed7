"""Every error of the service has an exception of the client's, and the other way round."""

import pickle
import re

import pytest
from lenet5_client import errors
from lenet5_client.errors import ERRORS, Fault, Lenet5Error, RequestError, Unavailable, error_of
from lenet5_client.schemas import ErrorDetail

from app.errors import ServiceError

OWN = {"connection_failed", "invalid_answer", "unreadable_picture"}
"""Codes of what goes wrong where no service says so."""


def statuses(kind: type[ServiceError]) -> dict[str, int]:
    """The HTTP status of each code that is answered; what the command line adds to them never goes over the wire."""
    below = [child for child in kind.__subclasses__() if child.__module__ == ServiceError.__module__]
    return {kind.code: kind.status} | {code: status for child in below for code, status in statuses(child).items()}


SERVICE = statuses(ServiceError)


def test_each_code_has_a_class_of_its_own() -> None:
    """The client knows the service's codes, and three that it has itself; no two share a class."""
    assert set(ERRORS) == set(SERVICE) | OWN
    assert not OWN & set(SERVICE)
    assert len(set(ERRORS.values())) == len(ERRORS)


@pytest.mark.parametrize(("code", "status"), SERVICE.items())
def test_a_code_is_raised_as_its_class(code: str, status: int) -> None:
    """It belongs to the family that says whether to mend the request, to try later or to tell the operator."""
    error = error_of(
        ErrorDetail(code=code, message="No.", details={"limit": 1}), status=status, request_id="id", retry_after=2.0
    )
    assert type(error) is ERRORS[code]
    assert (error.code, error.message, error.details, error.status) == (code, "No.", {"limit": 1}, status)
    assert (error.request_id, error.retry_after) == ("id", 2.0)
    family = Unavailable if status in (429, 503, 504) else Fault if status == 500 else RequestError
    assert isinstance(error, family)


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (402, RequestError),
        (429, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
        (507, Fault),
        (None, Lenet5Error),
    ],
)
def test_a_code_of_a_later_service_keeps_its_name(status: int | None, family: type[Lenet5Error]) -> None:
    """It is raised as its family, by the HTTP status."""
    error = error_of(ErrorDetail(code="of_another_version", message="No."), status=status)
    assert type(error) is family
    assert error.code == "of_another_version"


def test_the_drawn_tree_has_every_class_at_its_place() -> None:
    """The module's docstring shows each class under its base, with its code and its status."""
    drawn: dict[str, tuple[str, str, str | None]] = {}
    above: list[str] = []
    for line in errors.__doc__[errors.__doc__.index("Lenet5Error") :].splitlines():
        if not (found := re.fullmatch(r"([│├└─ ]*)([A-Z]\w+) +(\S+)?(?: +(\d{3}))?.*", line)):
            continue
        depth = len(found[1]) // 4
        above[depth:] = [found[2]]
        drawn[found[2]] = (above[depth - 1] if depth else "Exception", found[3], found[4])
    for kind in {Lenet5Error, RequestError, Fault, *ERRORS.values()}:
        base, code, status = drawn.pop(kind.__name__)
        assert base == kind.__base__.__name__
        if "code" in vars(kind) and kind is not Lenet5Error:
            assert code == kind.code
        if status is not None:
            assert SERVICE[kind.code] == int(status)
    assert not drawn


def test_errors_go_from_one_process_to_another() -> None:
    """A pool of processes hands them back as they are."""
    sent = error_of(ErrorDetail(code="of_another_version", message="No."), status=402, request_id="id")
    got = pickle.loads(pickle.dumps(sent))
    assert type(got) is type(sent)
    assert (str(got), vars(got)) == (str(sent), vars(sent))
