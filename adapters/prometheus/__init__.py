"""Prometheus: a process's registry, and the text that is scraped."""
