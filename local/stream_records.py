"""Stream records as Lambda's event has them, from what engines and their APIs give."""

from __future__ import annotations

import base64
import datetime
from typing import Any

from local.names import REGION

StreamRecord = dict[str, Any]
"""One change, without `eventSourceARN`: which name the stream has is the mapping's business."""


def as_event(record: StreamRecord) -> StreamRecord:
    """A JSON-safe copy: bytes as base64, the time in seconds, the region of the stack."""
    event: StreamRecord = _json_safe(record)
    event["awsRegion"] = REGION
    return event


def is_noop(record: StreamRecord) -> bool:
    """Whether a write changed nothing. AWS emits no record of it, the stand-ins do."""
    change = record["dynamodb"]
    if "OldImage" not in change or "NewImage" not in change:
        return False
    return bool(_unordered(change["OldImage"]) == _unordered(change["NewImage"]))


def _json_safe(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _json_safe(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_json_safe(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        # Moto gives naive UTC.
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return int(aware.timestamp())
    return value


def _unordered(value: Any) -> Any:
    """Sets have no order, so they are compared sorted."""
    if isinstance(value, dict):
        return {
            name: sorted(each) if name in ("SS", "NS", "BS") else _unordered(each)
            for name, each in value.items()
        }
    return [_unordered(each) for each in value] if isinstance(value, list) else value
