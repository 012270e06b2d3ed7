"""The tables and pictures of docs/before_lenet.md: `python -m benchmarks.before_lenet`."""
