"""Picks the engine that a stack runs on."""

from __future__ import annotations

from local.engine import Engine


def choose(engine: str) -> Engine:
    """`moto` for one in this process, or the URL of a DynamoDB endpoint."""
    if engine == "moto":
        # Imported here: a stack on an endpoint has no use for moto, which is slow to import.
        from local.moto_engine import MotoEngine

        return MotoEngine()
    if not engine.startswith(("http://", "https://")):
        raise ValueError(f"an engine is moto or a URL, not {engine!r}")
    from local.endpoint_engine import EndpointEngine

    return EndpointEngine(engine)
