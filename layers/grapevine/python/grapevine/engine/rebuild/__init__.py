"""Computing a campaign's projections again from its facts, while traffic goes on."""
