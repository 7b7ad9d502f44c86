"""Ray: pieces of work on a cluster."""
