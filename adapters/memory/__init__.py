"""In-memory twins of the ports: deterministic, with points where a test can make them fail."""
