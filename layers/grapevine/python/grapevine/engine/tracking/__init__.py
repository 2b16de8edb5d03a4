"""Impressions and shares of participants' links: who is counted, how often, and for whom."""
