"""The service as a deployment of Ray Serve, over the machines of a cluster: `serve run app.ray_serve:application`.

Every replica is the whole application with its own models, door and batcher. Ray's proxy stands in the place of our
server, so that its deadlines and bounds on connections are not there: docs/ray.md says what that costs.

    start    Ray opens a replica to requests once its models are verified, loaded and warm
    scale    by the pictures that replicas hold, see `by_pictures`
    health   a replica whose device computes no more is replaced
    stop     Ray sends a replica nothing new, lets it answer what it has, then has the lifespan close it
"""

from math import ceil
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from ray import serve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.service import Service
from app.main import create_app
from app.server import LAST_STEPS
from app.settings import Settings

HELD = "pictures_held"
"""The name of what replicas tell Ray."""
LOOK_BACK = 15.0
"""Seconds over which that is averaged."""


class Scale(BaseModel):
    """How much of a cluster it takes; what follows `serve run app.ray_serve:application`, as `replicas=4`."""

    model_config = ConfigDict(extra="forbid")

    replicas: PositiveInt = 1
    """Replicas; the fewest of them where there is max_replicas."""
    max_replicas: PositiveInt | None = None
    """The most replicas; without it their number stays."""
    pictures: PositiveInt = 64
    """Accepted and not yet answered in each replica, where their number adapts."""
    upscale_delay: float = Field(10.0, ge=0)
    """Seconds for which there must be more pictures than that before there are more replicas."""
    downscale_delay: float = Field(300.0, ge=0)
    """Seconds for which there must be fewer before there are fewer."""
    cpus: float = Field(1.0, ge=0)
    """Processors that a replica takes of its machine."""
    gpus: float = Field(0.0, ge=0)
    """GPUs that a replica takes: 0.25 has four share one."""


class Replica:
    """The application in one of Ray's processes, with what Ray asks of it."""

    def __init__(self, settings: Settings) -> None:
        """`settings` are those of `lenet5 serve`, of which what concerns its socket and its workers means nothing."""
        self._settings = settings

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """The application; Ray runs its lifespan. Raises ModelError, so that a failed start never reports ready."""
        app = create_app(self._settings)
        self._service: Service = app.state.service

        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":  # the proxy adds the same request id once more
                    message["headers"] = [header for header in message["headers"] if header[0] != b"x-request-id"]
                await send(message)

            await app(scope, receive, answer)

        return asked

    def check_health(self) -> None:
        """Raises BackendFailed when nothing can be answered any more: then Ray replaces the replica."""
        if (failure := self._service.lifecycle.failure) is not None:
            raise failure

    def record_autoscaling_stats(self) -> dict[str, float]:
        """How many pictures are accepted and not yet answered."""
        return {HELD: float(self._service.engine.admission.pictures)}


def by_pictures(context: Any) -> tuple[int, dict[str, Any]]:
    """How many replicas there should be: Ray's policy, given its AutoscalingContext.

    A request may be one picture or 256, so that Ray's own count of requests says little. Those that wait in the
    proxies count as one picture each, as nobody has looked into them.
    """
    held = sum((context.aggregated_metrics or {}).get(HELD, {}).values()) + context.total_queued_requests
    return ceil(held / context.config.target_ongoing_requests), {}


def application(scale: Scale) -> Any:
    """The application for `serve.run`, under the settings of this process's environment."""
    settings = Settings()
    count: dict[str, Any] = {"num_replicas": scale.replicas}
    if scale.max_replicas is not None:
        count = {
            "autoscaling_config": {
                "min_replicas": scale.replicas,
                "max_replicas": scale.max_replicas,
                "target_ongoing_requests": scale.pictures,
                "look_back_period_s": LOOK_BACK,
                "upscale_delay_s": scale.upscale_delay,
                "downscale_delay_s": scale.downscale_delay,
                "policy": {"policy_function": f"{__name__}:{by_pictures.__name__}"},
            }
        }
    deployment = serve.deployment(
        serve.ingress()(Replica),
        name="lenet5",
        ray_actor_options={"num_cpus": scale.cpus, "num_gpus": scale.gpus},
        max_ongoing_requests=settings.queue_pictures,  # from there on our door refuses, with a 429 and its reason
        health_check_period_s=1.0,  # and three that fail are the end of a replica
        graceful_shutdown_wait_loop_s=0.1,
        graceful_shutdown_timeout_s=settings.drain_timeout + LAST_STEPS,
        logging_config={"enable_access_log": False},
        **count,
    )
    return deployment.bind(settings)
