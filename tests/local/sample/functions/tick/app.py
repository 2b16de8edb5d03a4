"""Tells the seen-queue which schedule fired, for when, and what the clock says."""

import json
from typing import Any

from grapevine import runtime


def handler(event: dict[str, Any], _context: Any) -> None:
    seen = {"source": event["source"], "time": event["time"], "now": runtime.now_ms()}
    runtime.sqs().send_message(
        QueueUrl=runtime.settings().environment["SEEN_QUEUE_URL"], MessageBody=json.dumps(seen)
    )
