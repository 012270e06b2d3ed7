"""Servers that are known not to keep a promise, where benchmarks.speed.rivals has none: `python -m ... --port N`."""
