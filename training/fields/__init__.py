"""Fields to learn from and to measure with: strings of digits as gray pictures, with the truth about every sign."""
