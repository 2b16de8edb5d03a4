"""Makes the calls that its body lists, on the table of the stack: [operation, parameters]."""

import json
from typing import Any

from grapevine import runtime


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    table = runtime.settings().table_name
    answers = []
    for operation, parameters in json.loads(event["body"]):
        text = json.dumps(parameters).replace("$TABLE", table)
        call = getattr(runtime.dynamodb(), operation)
        try:
            answers.append(call(**json.loads(text)).get("Item"))
        except runtime.dynamodb().exceptions.ClientError as error:
            answers.append(error.response["Error"]["Code"])
    return {"answers": answers}
