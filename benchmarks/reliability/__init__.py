"""What docs/reliability.md promises, each measured by a module of its own, with its negative control."""
