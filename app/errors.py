"""Every error of the service, with the HTTP status and the stable code it is answered with.

ServiceError                      500 internal_error         a fault of ours
├── InferenceFailed               500 inference_failed       the forward pass raised; only its own batch is hit
├── RequestError                                             the caller can mend it
│   ├── MalformedRequest          400 malformed_request      broken HTTP or a broken form
│   ├── Unauthorized              401 unauthorized           no key, or one that is not known here
│   ├── NotFound                  404 not_found              nothing is at this path
│   ├── UnknownModel              404 unknown_model          no such model, or of another task
│   ├── MethodNotAllowed          405 method_not_allowed     the path does not take this method
│   ├── RequestTimeout            408 request_timeout        headers or body came too slowly
│   ├── BodyTooLarge              413 body_too_large         more bytes than the endpoint takes
│   ├── ImageTooLarge             413 image_too_large        too many pixels, or too long a side
│   ├── TooManyImages             413 too_many_images        more pictures than a batch takes
│   ├── UnsupportedMediaType      415 unsupported_media_type not a type of picture that is read
│   ├── InvalidImage              422 invalid_image          the bytes are no picture
│   ├── InvalidParameter          422 invalid_parameter      a query parameter or header value is wrong
│   ├── CountryNotSupported       422 country_not_supported  its postal codes have letters, or it has none
│   └── HeadersTooLarge           431 headers_too_large      more header bytes than a request may have
├── Unavailable                                              the same request may succeed later
│   ├── QueueFull                 429 queue_full             too much is waiting; see Retry-After
│   ├── Draining                  503 draining               the process is shutting down
│   ├── NotReady                  503 not_ready              see `missing` in its details
│   ├── BackendFailed             503 backend_failed         no forward pass succeeds any more; the process ends
│   └── DeadlineExceeded          504 deadline_exceeded      the caller's own deadline has passed
├── StartFailed                   500 start_failed           the port is taken, or a worker cannot start
├── DeviceUnavailable             500 device_unavailable     the device asked for at start-up is not there
└── ModelError                    500 model_error            weights that must not be served
    ├── ModelNotFound             500 model_not_found        no such folder, or a file of it is missing
    ├── ManifestInvalid           500 manifest_invalid       manifest.json is not what it should be
    ├── DigestMismatch            500 digest_mismatch        a file's SHA-256 is not the manifest's
    └── PreprocessingMismatch     500 preprocessing_mismatch trained on another form of the input
"""

from typing import Any, ClassVar


class ServiceError(Exception):
    """A fault of ours, which the request id finds in the log.

    `message` is one sentence a person can act on, `details` is the evidence.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers that the answer to this error carries besides the usual ones."""
        return {}

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer to this error."""
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}

    def body_at(self, path: str) -> dict[str, Any]:
        """The same for a request to `path`: under /v2 the Open Inference Protocol wants one string."""
        if path == "/v2" or path.startswith("/v2/"):
            return {"error": f"{self.code}: {self.message}"}
        return self.body()


class InferenceFailed(ServiceError):
    """The forward pass raised; the pictures of other batches are not touched."""

    code = "inference_failed"


class RequestError(ServiceError):
    """The request is at fault and will fail again unchanged."""

    status = 400
    code = "malformed_request"


class MalformedRequest(RequestError):
    """The HTTP message or the multipart form cannot be parsed."""


class Unauthorized(RequestError):
    """No key came with the request, or one that is not known; the header WWW-Authenticate says how to send one."""

    status = 401
    code = "unauthorized"

    def __init__(self, message: str, *, error: str | None = None) -> None:
        super().__init__(message)
        self.error = error

    @property
    def headers(self) -> dict[str, str]:
        """RFC 6750, section 3: a reason only where a key was given."""
        reason = f', error="{self.error}"' if self.error else ""
        return {"WWW-Authenticate": f'Bearer realm="lenet5"{reason}'}


class NotFound(RequestError):
    """Nothing is at this path."""

    status = 404
    code = "not_found"


class UnknownModel(RequestError):
    """No model of that name and version is served for this task."""

    status = 404
    code = "unknown_model"


class MethodNotAllowed(RequestError):
    """The path does not take this method; the header Allow says which it takes."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message, allowed=allowed)

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": self.details["allowed"]}


class RequestTimeout(RequestError):
    """The headers or the body came in too slowly."""

    status = 408
    code = "request_timeout"


class BodyTooLarge(RequestError):
    """The body has more bytes than the endpoint takes."""

    status = 413
    code = "body_too_large"


class ImageTooLarge(RequestError):
    """The picture has too many pixels, too long a side, or takes too much work to decode."""

    status = 413
    code = "image_too_large"


class TooManyImages(RequestError):
    """The request holds more pictures than a batch takes."""

    status = 413
    code = "too_many_images"


class UnsupportedMediaType(RequestError):
    """The content type, or the format found in the bytes, is none that is read."""

    status = 415
    code = "unsupported_media_type"


class InvalidImage(RequestError):
    """The bytes are not a picture, or a broken one."""

    status = 422
    code = "invalid_image"


class InvalidParameter(RequestError):
    """A query parameter or a header has a value that it may not have."""

    status = 422
    code = "invalid_parameter"


class CountryNotSupported(RequestError):
    """The country's postal codes are not made of digits alone, or there are none."""

    status = 422
    code = "country_not_supported"


class HeadersTooLarge(RequestError):
    """The request's header section has more bytes than is allowed."""

    status = 431
    code = "headers_too_large"


class Unavailable(ServiceError):
    """Nothing is wrong with the request; it cannot be served now."""

    status = 503
    code = "unavailable"


class QueueFull(Unavailable):
    """Too many pictures are admitted and not yet answered."""

    status = 429
    code = "queue_full"

    def __init__(self, message: str, *, retry_after: int = 1, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class Draining(Unavailable):
    """The process is shutting down and takes nothing new."""

    code = "draining"


class NotReady(Unavailable):
    """The service is shutting down, or a model's last forward pass failed; `missing` says which."""

    code = "not_ready"


class BackendFailed(Unavailable):
    """A model's device computes no more; the process ends, so that another one takes its place."""

    code = "backend_failed"


class DeadlineExceeded(Unavailable):
    """The caller's own deadline passed before the answer was there."""

    status = 504
    code = "deadline_exceeded"


class StartFailed(ServiceError):
    """The service cannot start: its port is taken, or one of its workers cannot start."""

    code = "start_failed"


class DeviceUnavailable(ServiceError):
    """The device that was asked for is not there, or the program for it is not installed; stops the start."""

    code = "device_unavailable"


class ModelError(ServiceError):
    """Weights that must not be served."""

    code = "model_error"


class ModelNotFound(ModelError):
    """The model's folder, or a file of it, is missing."""

    code = "model_not_found"


class ManifestInvalid(ModelError):
    """The manifest is not readable, or lacks something, or holds something wrong."""

    code = "manifest_invalid"


class DigestMismatch(ModelError):
    """A file's SHA-256 is not the one that the manifest states."""

    code = "digest_mismatch"


class PreprocessingMismatch(ModelError):
    """The model was trained on another form of the input than this program makes."""

    code = "preprocessing_mismatch"
