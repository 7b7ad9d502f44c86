"""Audit: any order explained at any moment, whole days folded again, another choice held against the one that was made.

Everything here is a function of stored rows, wherever they come from (`ems.audit.source.Source`): the database, an exported
bundle, a restored backup.
"""
