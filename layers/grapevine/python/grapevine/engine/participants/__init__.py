"""Participants: found, added, changed, deleted, listed and described."""
