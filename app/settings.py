"""Every setting of the service, defined once: flags, environment variables and the reference are printed from here.

A field `name` is the flag `--name` of `lenet5 serve` and the variable `LENET5_NAME`; a flag wins over a variable.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBI = 1024 * 1024

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Duration = Annotated[Seconds, Field(gt=0)]
Bytes = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseSettings):
    """What a deployment may choose."""

    model_config = SettingsConfigDict(
        env_prefix="LENET5_", use_attribute_docstrings=True, frozen=True, extra="ignore", env_ignore_empty=True
    )

    # Where it listens
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """Port to listen on; 0 takes a free one."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that serve; above 1 they are supervised, each a whole service."""
    heartbeat_timeout: Seconds = 1.5
    """Seconds for which the event loop of one of several workers may stand still before it is replaced; 0: any."""

    # The model
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where forward passes run; auto is CUDA if there is a device and torch, else the CPU."""
    model_dir: Path | None = None
    """Folder with NAME/VERSION/ models; by default the weights that come with the service."""
    digit_model: str = "lenet5"
    """Default model of /predict: NAME (its highest version) or NAME:VERSION."""
    field_model: str | None = None
    """Default model of /read: NAME or NAME:VERSION; by default lenet5-field, where the model folder has it."""
    model_poll: Seconds = 0.0
    """Seconds between looks whether the model folder has changed; 0 looks on SIGHUP alone."""
    inference_threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Threads of one forward pass on the CPU."""

    # Batching
    max_batch_size: Annotated[int, Field(ge=1, le=8192)] = 128
    """Most pictures in one forward pass."""
    max_batch_delay: Seconds = 0.0
    """Seconds that single pictures wait for more before a pass; 0 takes what queued while the device was busy."""
    queue_pictures: Count = 1024
    """Pictures accepted and not yet answered, per worker; above it requests get 429."""
    queue_megapixels: Annotated[int, Field(ge=1)] = 256
    """Megapixels accepted and not yet answered, per worker; above it requests get 429."""
    queue_body_bytes: Bytes = 128 * MEBI
    """Bytes of bodies held or on their way, per worker; above it requests get 429."""

    # Limits of one request
    max_body_bytes: Bytes = 8 * MEBI
    """Bytes of a body with one picture."""
    max_batch_body_bytes: Bytes = 64 * MEBI
    """Bytes of a body with many pictures, or with a tensor."""
    max_batch_pictures: Count = 256
    """Pictures in one batch request."""
    max_tensor_rows: Count = 16_384
    """Pictures in one tensor of /v2."""
    max_pixels: Count = 16_000_000
    """Pixels of a picture."""
    max_side: Count = 10_000
    """Pixels of a picture's longer side."""
    max_scans: Count = 1000
    """Scans of a JPEG, of which an ordinary progressive one has about ten."""
    max_scan_megapixels: Count = 200
    """Scans of a JPEG times its megapixels: how much a decoder goes over."""
    picture_formats: str = "png,jpeg,tiff,bmp,webp,gif"
    """Formats that are read, separated by commas."""
    decode_threads: Annotated[int, Field(ge=2, le=64)] = 2
    """Threads that decode large pictures, half of them those of bulk requests; each may hold one of max_pixels."""

    # Deadlines of a connection
    header_timeout: Duration = 10.0
    """Seconds in which a request's headers must be complete."""
    max_header_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024
    """Bytes of a request's headers."""
    body_timeout: Duration = 10.0
    """Seconds without a byte of a body, and before body_min_rate counts, after which it is given up."""
    body_min_rate: Annotated[int, Field(ge=1)] = 65_536
    """Bytes per second at which a large body may come in at the slowest."""
    answer_timeout: Duration = 10.0
    """Seconds in which a caller must have read an answer, past what the system's buffers hold; then it is cut."""
    keep_alive_timeout: Seconds = 15.0
    """Seconds that an idle connection is kept open."""

    # Who may call
    api_keys_file: Path | None = None
    """File with the keys of which a request needs one, NAME=KEY a line; health answers without."""
    api_keys: SecretStr | None = None
    """Keys as in api_keys_file, separated by commas; a file is better, as processes and containers show these."""
    metrics_open: bool = False
    """Answer /metrics without a key too."""
    cors_origins: str = ""
    """Origins, separated by commas, whose pages may call from a browser, or *; none by default."""
    forwarded_allow_ips: str = ""
    """Addresses or networks, separated by commas, of proxies whose X-Forwarded-For is believed; none by default."""

    # Shutdown
    drain_delay: Seconds = 0.0
    """Seconds after SIGTERM in which requests are still served while /health/ready says 503."""
    drain_timeout: Seconds = 10.0
    """Seconds after that in which what was accepted is answered; what is left gets 503."""

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged."""
    log_format: Literal["console", "json"] = "console"
    """Form of the log's lines, on standard output."""
    access_log: bool = False
    """Log one line for each request."""
    access_log_sample: Share = 1.0
    """Share of the requests whose line access_log writes, 0 to 1; a fault of ours always has one."""

    # Traces
    traces_endpoint: str | None = None
    """Where traces go, such as http://collector:4318/v1/traces, by OTLP over HTTP; needs the extra otel."""
    traces_sample: Share = 1.0
    """Share of the requests without a traceparent that are traced, 0 to 1; a traceparent says so itself."""

    @field_validator("picture_formats")
    @classmethod
    def _known_formats(cls, value: str) -> str:
        known = set(cls.model_fields["picture_formats"].default.split(","))
        names = [name.strip().lower() for name in value.split(",")]
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"unknown format {unknown[0]!r}; known are {', '.join(sorted(known))}")
        return ",".join(names)

    @field_validator("traces_endpoint")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/\s]+/\S*", value):
            raise ValueError(f"{value!r} is no full URL, such as http://collector:4318/v1/traces")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        origins = parts(value)
        for origin in origins:
            if not re.fullmatch(r"\*|https?://[^/\s]+", origin):  # with a path, or a slash, none ever matches
                raise ValueError(f"{origin!r} is no origin, such as https://example.org:8443")
        return ",".join(origins)

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for address in parts(value):
            ip_network(address)  # a ValueError says what is wrong with it
        return ",".join(parts(value))


def parts(value: str) -> list[str]:
    """The parts of a setting that is a list."""
    return [part.strip() for part in value.split(",") if part.strip()]
