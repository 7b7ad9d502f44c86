"""OpenTelemetry: spans that are known already, handed to an exporter of its SDK."""
