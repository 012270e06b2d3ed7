"""Strings of digits in the picture of one field: cleaned, cut into characters, and read from the network's scores."""
