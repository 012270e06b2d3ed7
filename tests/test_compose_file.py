"""docker-compose.yml follows from the settings; what an engine makes of it is shown by tests/container."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import MEBI, Settings
from app.supervisor import LAST_WORDS

ROOT = Path(__file__).parents[1]
MEGA = 1e6
REST, PICTURE, TMPFS = 150 * MEGA, 260 * MEGA, 64 * MEBI
"""Bytes: a worker at rest, a picture of max_pixels being decoded, and /tmp, whose pages count as the container's."""


def _compose(name: str = "docker-compose.yml") -> dict[str, Any]:
    """The file with the default of every variable."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / name).read_text())
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.fixture
def service() -> dict[str, Any]:
    found: dict[str, Any] = _compose()["services"]["lenet5"]
    return found


@pytest.fixture
def settings(service: dict[str, Any]) -> Settings:
    """Those of the container: defaults, and what the file sets."""
    return Settings(**{k.removeprefix("LENET5_").lower(): v for k, v in service["environment"].items()})


def test_the_container_outlives_the_drain(service, settings):
    """The engine kills after the drain's delay, its timeout and the workers' last words are over, not before."""
    grace = float(service["stop_grace_period"].removesuffix("s"))
    assert grace > settings.drain_delay + settings.drain_timeout + LAST_WORDS


def test_the_memory_holds_what_the_settings_let_in(service, settings):
    """One worker at rest, the worst picture in each decoding thread, all bodies on their way and a full /tmp."""
    worst = REST + settings.decode_threads * PICTURE + settings.queue_body_bytes + TMPFS
    assert service["mem_limit"] == service["memswap_limit"] == "1g"
    assert worst * settings.workers < 1024 * MEBI
    (tmpfs,) = service["tmpfs"]
    assert f"size={TMPFS // MEBI}m" in tmpfs
    assert {"noexec", "nosuid", "nodev"} <= set(tmpfs.split(":")[1].split(","))


def test_the_processors_are_those_that_the_threads_can_use(service, settings):
    """One for the event loop and one for each decoding thread, for each worker."""
    cores = service["cpu_quota"] / service["cpu_period"]
    assert cores == settings.workers * (1 + settings.decode_threads)


def test_it_answers_on_this_machine_only(service):
    """Unless LENET5_PUBLISH says otherwise the port is on the loopback."""
    assert service["ports"] == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("name", ["lenet5", "train"])
def test_every_service_is_confined(name):
    """Read-only, without capabilities or a way to new ones, bounded, and its log too; privileged nowhere."""
    service = _compose()["services"][name]
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert not {"privileged", "cap_add", "pid", "ipc", "uts", "userns_mode", "devices"} & set(service)
    assert service.get("network_mode", "none") == "none"


def test_keys_are_a_secret_file():
    """docker-compose.keys.yml names the setting that exists, and the file where the engine mounts the secret."""
    keys = _compose("docker-compose.keys.yml")
    (service,) = keys["services"].values()
    (secret,) = service["secrets"]
    assert secret in keys["secrets"]
    assert service["environment"] == {"LENET5_API_KEYS_FILE": f"/run/secrets/{secret}"}
    assert "api_keys_file" in Settings.model_fields
