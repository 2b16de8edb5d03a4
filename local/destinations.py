"""The messages that failure destinations get, in the shapes that AWS documents."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from local.functions import Outcome
from local.stream_log import Entry


def stream_failure(
    *,
    entries: Sequence[Entry],
    stream_arn: str,
    function_arn: str,
    condition: str,
    attempts: int,
    outcome: Outcome | None,
    now_ms: int,
) -> str:
    """Where in the stream the lost records are; not the records themselves."""
    first, last = entries[0], entries[-1]
    message: dict[str, Any] = {
        "requestContext": {
            "requestId": outcome.request_id if outcome else "",
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "version": "1.0",
        "timestamp": _iso(now_ms),
        "DDBStreamBatchInfo": {
            "shardId": first.shard_id,
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": _iso(first.arrived_at),
            "approximateArrivalOfLastRecord": _iso(last.arrived_at),
            "batchSize": len(entries),
            "streamArn": stream_arn,
        },
    }
    if outcome is not None:
        message["responseContext"] = _response_context(outcome)
    return json.dumps(message)


def async_failure(
    *,
    event: Any,
    function_arn: str,
    condition: str,
    attempts: int,
    outcome: Outcome,
    now_ms: int,
) -> str:
    """An asynchronous invocation that was given up, with its event and its error."""
    return json.dumps(
        {
            "version": "1.0",
            "timestamp": _iso(now_ms),
            "requestContext": {
                "requestId": outcome.request_id,
                "functionArn": function_arn,
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": _response_context(outcome),
            "responsePayload": outcome.failure.payload() if outcome.failure else outcome.payload,
        }
    )


def _response_context(outcome: Outcome) -> dict[str, Any]:
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if outcome.failure is not None:
        context["functionError"] = "Unhandled"
    return context


def _iso(moment_ms: int) -> str:
    moment = datetime.datetime.fromtimestamp(moment_ms / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
