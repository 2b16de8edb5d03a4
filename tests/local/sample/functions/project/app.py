"""Tells the seen-queue each record that it takes; records can ask for trouble by `do`."""

import json
from typing import Any

from grapevine import runtime


def handler(event: dict[str, Any], _context: Any) -> Any:
    url = runtime.settings().environment["SEEN_QUEUE_URL"]
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        number = record["dynamodb"]["SequenceNumber"]
        match image.get("do", {}).get("S"):
            case "raise":
                raise RuntimeError("poison")
            case "report":
                if record is event["Records"][0]:
                    raise RuntimeError("poison")
                return {"batchItemFailures": [{"itemIdentifier": number}]}
            case "report only":
                return {"batchItemFailures": [{"itemIdentifier": number}]}
            case "misreport":
                return {"batchItemFailures": [{"itemIdentifier": ""}]}
        runtime.sqs().send_message(QueueUrl=url, MessageBody=json.dumps(image["name"]["S"]))
    return None
