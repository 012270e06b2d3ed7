"""The network beside what came before it, on the same inputs, splits and figures: `python -m benchmarks.classical`."""
