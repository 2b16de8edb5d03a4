"""The rank index: exact ranks from a few small items, however many participants there are."""
