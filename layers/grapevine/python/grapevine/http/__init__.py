"""How a request becomes a call into the engine, and what comes back an answer."""
