"""`lenet5 health`: it is what the container's health check runs, so it imports next to nothing."""

import http.client
from urllib.parse import urlsplit

from app.cli.ends import fail

HEALTH_TIMEOUT = 3.0  # seconds


def health(url: str | None = None, /) -> None:
    """Exit with 0 when the service at the URL is ready to answer, else with 1 and a line that says why.

    Parameters
    ----------
    url
        The service's root; by default the one that LENET5_HOST and LENET5_PORT name on this machine.
    """
    if url is None:
        from app.settings import Settings  # noqa: PLC0415 - a third of the start, and with a URL not needed

        settings = Settings()
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared only
        url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it has no http:// or no host")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=HEALTH_TIMEOUT)
    except (ValueError, http.client.InvalidURL) as error:
        fail(f"{url!r} is not the URL of a service, such as http://127.0.0.1:8000: {error}")
    try:
        connection.request("GET", parts.path.rstrip("/") + "/health/ready", headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        fail(f"{url} does not answer: {error or type(error).__name__}")
    if status != http.HTTPStatus.OK:
        fail(f"{url} is not ready: HTTP {status}")
    print("ready")  # noqa: T201 - a command's answer
