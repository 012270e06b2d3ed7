"""Everything that a call can raise: one class for each code of the service, and three of the client's own.

A code that this client does not know is raised as RequestError, Unavailable or Fault, by its HTTP status.

Lenet5Error                                            with code, message, details, status, request_id
├── RequestError                                       the request is at fault and will fail again unchanged
│   ├── MalformedRequest      malformed_request        400
│   ├── Unauthorized          unauthorized             401
│   ├── NotFound              not_found                404
│   ├── UnknownModel          unknown_model            404
│   ├── MethodNotAllowed      method_not_allowed       405
│   ├── RequestTimeout        request_timeout          408
│   ├── BodyTooLarge          body_too_large           413
│   ├── ImageTooLarge         image_too_large          413
│   ├── TooManyImages         too_many_images          413
│   ├── UnsupportedMediaType  unsupported_media_type   415
│   ├── InvalidImage          invalid_image            422
│   ├── InvalidParameter      invalid_parameter        422
│   ├── CountryNotSupported   country_not_supported    422
│   ├── HeadersTooLarge       headers_too_large        431
│   └── UnreadablePicture     unreadable_picture       nothing was sent: no such file, or no kind of picture
├── Unavailable               unavailable              the same request may succeed later
│   ├── QueueFull             queue_full               429
│   ├── Draining              draining                 503
│   ├── NotReady              not_ready                503
│   ├── BackendFailed         backend_failed           503
│   ├── DeadlineExceeded      deadline_exceeded        504, or no answer came in time
│   └── ConnectionFailed      connection_failed        no connection, or it broke before the answer was whole
└── Fault                                              the service, or what stands before it, is at fault
    ├── InternalError         internal_error           500
    ├── InferenceFailed       inference_failed         500
    ├── StartFailed           start_failed             500
    ├── DeviceUnavailable     device_unavailable       500
    ├── ModelError            model_error              500
    │   ├── ModelNotFound          model_not_found
    │   ├── ManifestInvalid        manifest_invalid
    │   ├── DigestMismatch         digest_mismatch
    │   └── PreprocessingMismatch  preprocessing_mismatch
    └── InvalidAnswer         invalid_answer           the answer is none of the service's, such as a proxy's page
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lenet5_client.schemas import ErrorDetail


class Lenet5Error(Exception):
    """Why there is no result."""

    code: str = "unknown"
    """Stable and machine-readable."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        """One sentence that a person can act on."""
        if code is not None:
            self.code = code
        self.details = dict(details or {})
        """The evidence: limits, and what was found."""
        self.status = status
        """Of the HTTP answer; None where there was none, or where one picture of a batch is spoilt."""
        self.request_id = request_id
        """Finds the request in the service's log; None where nothing was sent."""
        self.retry_after = retry_after
        """Seconds that the service asks to wait before the next try, if it does."""

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class RequestError(Lenet5Error):
    """The request is at fault and will fail again unchanged."""


class MalformedRequest(RequestError):
    """The HTTP message or the form cannot be parsed."""

    code = "malformed_request"


class Unauthorized(RequestError):
    """The service wants an API key, and there is none or a wrong one."""

    code = "unauthorized"


class NotFound(RequestError):
    """Nothing is at this path: the URL is not that of a service."""

    code = "not_found"


class UnknownModel(RequestError):
    """No model of that name and version is served for this task."""

    code = "unknown_model"


class MethodNotAllowed(RequestError):
    """The path does not take this method."""

    code = "method_not_allowed"


class RequestTimeout(RequestError):
    """The headers or the body reached the service too slowly."""

    code = "request_timeout"


class BodyTooLarge(RequestError):
    """The picture has more bytes than the service takes."""

    code = "body_too_large"


class ImageTooLarge(RequestError):
    """The picture has too many pixels, too long a side, or takes too much work to decode."""

    code = "image_too_large"


class TooManyImages(RequestError):
    """The request holds more pictures than a batch takes."""

    code = "too_many_images"


class UnsupportedMediaType(RequestError):
    """The picture's format is none that is read."""

    code = "unsupported_media_type"


class InvalidImage(RequestError):
    """The bytes are not a picture, or a broken one."""

    code = "invalid_image"


class InvalidParameter(RequestError):
    """An option has a value that it may not have."""

    code = "invalid_parameter"


class CountryNotSupported(RequestError):
    """The country's postal codes are not made of digits alone, or there are none."""

    code = "country_not_supported"


class HeadersTooLarge(RequestError):
    """The request's headers, those of the client's own `headers` included, have more bytes than is allowed."""

    code = "headers_too_large"


class UnreadablePicture(RequestError):
    """Nothing was sent: the file cannot be read, or the object is no picture."""

    code = "unreadable_picture"


class Unavailable(Lenet5Error):
    """Nothing is wrong with the request; it cannot be served now."""

    code = "unavailable"


class QueueFull(Unavailable):
    """The service has as much to do as it takes."""

    code = "queue_full"


class Draining(Unavailable):
    """The service is shutting down and takes nothing new."""

    code = "draining"


class NotReady(Unavailable):
    """The service is not warm yet, or no longer takes requests."""

    code = "not_ready"


class BackendFailed(Unavailable):
    """A model's device computes no more; the process ends, so that another one takes its place."""

    code = "backend_failed"


class DeadlineExceeded(Unavailable):
    """The call's own timeout passed before its answer was there."""

    code = "deadline_exceeded"


class ConnectionFailed(Unavailable):
    """There is no connection, or it broke before the answer was whole."""

    code = "connection_failed"


class Fault(Lenet5Error):
    """The service, or what stands before it, is at fault."""


class InternalError(Fault):
    """The service failed; the request id finds the entry in its log."""

    code = "internal_error"


class InferenceFailed(Fault):
    """The forward pass failed."""

    code = "inference_failed"


class StartFailed(Fault):
    """The service, or a worker of it, cannot start."""

    code = "start_failed"


class DeviceUnavailable(Fault):
    """The device that the service was to run on is not there."""

    code = "device_unavailable"


class ModelError(Fault):
    """The service has weights that must not be served."""

    code = "model_error"


class ModelNotFound(ModelError):
    """A model's folder, or a file of it, is missing."""

    code = "model_not_found"


class ManifestInvalid(ModelError):
    """A model's manifest is not what it should be."""

    code = "manifest_invalid"


class DigestMismatch(ModelError):
    """A file's SHA-256 is not the one that its manifest states."""

    code = "digest_mismatch"


class PreprocessingMismatch(ModelError):
    """A model was trained on another form of the input than the service makes."""

    code = "preprocessing_mismatch"


class InvalidAnswer(Fault):
    """The answer is none of the service's, such as a proxy's page; its beginning is in `details`."""

    code = "invalid_answer"


def _with_code(kind: type[Lenet5Error]) -> Iterator[type[Lenet5Error]]:
    for child in kind.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from _with_code(child)


ERRORS: dict[str, type[Lenet5Error]] = {kind.code: kind for kind in _with_code(Lenet5Error)}
"""The class of each code."""


def error_of(
    detail: ErrorDetail,
    *,
    status: int | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> Lenet5Error:
    """The exception for what the service says went wrong."""
    return ERRORS.get(detail.code, _of_status(status))(
        detail.message,
        code=detail.code,
        details=detail.details,
        status=status,
        request_id=request_id,
        retry_after=retry_after,
    )


def _of_status(status: int | None) -> type[Lenet5Error]:
    """The class of a code that is not known."""
    if status is None:
        return Lenet5Error
    if status in (429, 503, 504):
        return Unavailable
    return RequestError if status < 500 else Fault
