"""Tells the seen-queue each message that it takes; `fail: n` fails it the first n times."""

import json
from typing import Any

from grapevine import runtime


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    url = runtime.settings().environment["SEEN_QUEUE_URL"]
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        if body.get("raise"):
            raise RuntimeError("as asked")
        if int(record["attributes"]["ApproximateReceiveCount"]) <= body.get("fail", 0):
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            runtime.sqs().send_message(QueueUrl=url, MessageBody=json.dumps(body["name"]))
    return {"batchItemFailures": failed}
