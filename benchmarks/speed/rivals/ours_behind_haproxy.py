"""The same behind the HAProxy that Ray Serve starts where it is told to: it speaks with the replica's own socket."""

import os
import subprocess

os.environ["RAY_SERVE_ENABLE_HA_PROXY"] = "1"  # read when ray.serve is imported

from benchmarks.speed.rivals.ours_on_ray import main

if __name__ == "__main__":
    try:
        main()
    finally:
        subprocess.run(["pkill", "-KILL", "-f", "/tmp/haproxy-serve/"], check=False)  # Ray leaves one, with its ports
