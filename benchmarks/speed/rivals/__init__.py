"""Other servers that do the same job with the same weights: each a script that listens on the port it is given.

Each is what its documentation shows, on one thread, for it gets one core. They run in environments of their own, whose
packages stand in requirements/.
"""
