"""Requests share forward passes here: admission, batching, the engine that the HTTP layer calls."""
