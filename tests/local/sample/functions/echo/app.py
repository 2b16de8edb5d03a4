"""Answers with the event that came."""

import json
from typing import Any

from grapevine import runtime


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if (event.get("queryStringParameters") or {}).get("raise"):
        raise RuntimeError("as asked")
    answer = {
        "event": event,
        "greeting": runtime.settings().environment["GREETING"],
        "now": runtime.now_ms(),
        "function": context.function_name,
    }
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "cookies": ["a=1", "b=2"],
        "body": json.dumps(answer),
    }
