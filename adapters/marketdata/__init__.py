"""Market data from files: bytes in, plain arrays and tape events out."""
