"""A service under everything that callers do, for long."""
