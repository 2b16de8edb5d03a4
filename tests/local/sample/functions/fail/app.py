"""Fails whenever it is called."""

from typing import Any


def handler(_event: dict[str, Any], _context: Any) -> None:
    raise RuntimeError("always")
