"""A bad network, and clients behind it."""
