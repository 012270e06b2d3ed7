"""lenet5-serve: a REST inference service for handwritten digits."""
