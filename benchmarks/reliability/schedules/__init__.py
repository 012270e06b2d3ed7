"""The batcher under random schedules, on an event loop whose clock goes as fast as it is asked for."""
