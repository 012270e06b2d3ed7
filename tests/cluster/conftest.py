"""A cluster of Ray on this machine: a head, which runs nothing of ours, and two nodes with a processor each."""

import os
import warnings
from collections.abc import Iterator
from contextlib import suppress

import pytest

with warnings.catch_warnings(action="ignore"), suppress(ModuleNotFoundError):  # the test modules are skipped without
    import ray
    import ray.data
    import ray.serve


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """The driver is connected to its head."""
    from ray.cluster_utils import Cluster

    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "0.5",  # seconds instead of half a minute
        "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "0.5",
        "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    }
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        started.add_node(num_cpus=1)
    ray.init(address=started.address, log_to_driver=False)
    yield started
    ray.shutdown()
    started.shutdown()
