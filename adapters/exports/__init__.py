"""Exports as files: a folder of lines, CSV and Parquet, packed into an archive that has the same bytes each time."""
