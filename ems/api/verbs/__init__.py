"""Verbs by room: each file exports VERBS."""
