"""Whole fields measured: what is read, how sure the reader is, and what it costs."""
