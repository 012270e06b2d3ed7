"""HTTP in, HTTP out, and nothing else: routes translate, the engine decides."""
