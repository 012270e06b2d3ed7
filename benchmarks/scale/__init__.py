"""From the measured service curve of one process to many machines."""
