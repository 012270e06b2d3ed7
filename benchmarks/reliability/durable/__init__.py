"""What is written to a disk, killed, filled up and cut short at every point."""
