"""Transaction cost analysis: what orders cost, from the log's events and the marks that it holds."""
