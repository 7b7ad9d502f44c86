"""Worlds in which execution strategies are judged."""
