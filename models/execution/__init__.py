"""Strategies, and how they are judged beside each other."""
