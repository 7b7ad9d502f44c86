"""Reference data from files. `sample/` is a small universe of our own that needs nothing else."""
