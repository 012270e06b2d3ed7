"""This service as a deployment of Ray Serve, one replica behind Ray's own proxy in Python."""

import argparse
import signal
import sys

import ray
from ray import serve

from app.ray_serve import Scale, application


def main() -> None:
    """Until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    ray.init("local", include_dashboard=False, num_cpus=2)
    serve.start(http_options={"host": "127.0.0.1", "port": parser.parse_args().port})
    serve.run(application(Scale()))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # in the place of the one that Ray has set
    try:
        signal.pause()
    finally:
        serve.shutdown()  # else the HAProxy would stay, and keep its ports


if __name__ == "__main__":
    main()
