"""The event log on Postgres: its server, schema, lease, log, and the `eventsourcing` library's view of the same log.

Nothing is imported here: a process that only reads pays for no migration or library code.
"""
