"""Rules and use cases. Knows nothing of HTTP; reaches the table only through `grapevine.table`."""
