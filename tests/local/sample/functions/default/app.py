"""Takes what no other route takes, and just returns its body."""

from typing import Any


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return {"unknown": event["rawPath"], "method": event["requestContext"]["http"]["method"]}
