"""The database's schema: Alembic keeps the order, plain SQL in sql/ says what is made."""
