"""Alerts to the outside, over HTTP: a webhook of one's own, Prometheus's Alertmanager."""
