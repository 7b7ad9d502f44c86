"""The quoter: a compiled kernel from a feed's bytes to a venue's bytes, and the journal that keeps every decision."""
