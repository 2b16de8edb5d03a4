"""The end of a month: when a campaign's month is closed, who was best in it, and what they win."""
