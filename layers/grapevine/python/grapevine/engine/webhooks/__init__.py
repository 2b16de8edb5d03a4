"""Webhooks: what is sent, how it is signed, where it may go, one attempt, and when the next is."""
