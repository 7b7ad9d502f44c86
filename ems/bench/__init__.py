"""Benchmarks: one file per `ems bench` subject, each prints one JSON object."""
