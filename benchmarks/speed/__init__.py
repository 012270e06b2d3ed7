"""How fast the service is, beside others that do the same job: `python -m benchmarks.speed`."""
