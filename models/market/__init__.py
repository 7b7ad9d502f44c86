"""A model of a market: a limit order book, its matching, and the flow that drives it when no tape does."""
