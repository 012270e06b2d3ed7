"""Trains, measures and writes the models of `model_weights/`; the service never imports this package."""
