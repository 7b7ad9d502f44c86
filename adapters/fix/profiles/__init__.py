"""Example profiles of invented counterparties, one of an OMS and one of a broker; docs/fix-profiles.md explains them."""
