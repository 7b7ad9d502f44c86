"""The ground floor: what orders, fills, plans and sessions are, and what may happen to them. Pure."""
