"""Exported bundles: one archive with the log's stored bytes and what was made of them."""
