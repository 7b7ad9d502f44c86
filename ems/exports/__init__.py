"""What is made of the log for others: the consolidated record, regulatory records, books and records. Pure functions of it."""
