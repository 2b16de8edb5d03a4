"""Takes every change."""

from typing import Any


def handler(event: dict[str, Any], _context: Any) -> None:
    for record in event["Records"]:
        assert record["eventSource"] == "aws:dynamodb"
