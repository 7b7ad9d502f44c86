"""Data dictionaries of the FIX dialects that we speak."""
