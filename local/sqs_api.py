"""The SQS API in front of the stack's queues, for the botocore client that handlers use."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse

from local import aws
from local.queues import Message, Queues, UnknownQueue, UnknownReceipt

Body = dict[str, Any]

_MOST_IN_BATCH = 10
_LONGEST_DELAY_S = 900
_LARGEST_BODY = 1_048_576


class _Refused(Exception):
    """What SQS would refuse: an error code and a message."""


def client(queues: Queues) -> Any:
    """A client whose calls end in these queues; operations not listed here are refused."""
    made = aws.client("sqs")
    made.meta.events.register("before-send.sqs", functools.partial(_answer, queues))
    return made


def _answer(queues: Queues, request: AWSRequest, **_: Any) -> AWSResponse:
    target = request.headers["X-Amz-Target"]
    operation = (target.decode() if isinstance(target, bytes) else target).split(".")[-1]
    try:
        status, body = 200, _perform(queues, operation, json.loads(request.body))
    except UnknownQueue as unknown:
        status, body = 400, _error("QueueDoesNotExist", f"no queue {unknown}")
    except UnknownReceipt:
        status, body = 400, _error("ReceiptHandleIsInvalid", "the receipt handle is not valid")
    except _Refused as refused:
        status, body = 400, _error(*refused.args)
    return aws.answered(request, status, body)


def _perform(queues: Queues, operation: str, request: Mapping[str, Any]) -> Body:
    perform = _OPERATIONS.get(operation)
    if perform is None:
        raise _Refused("UnsupportedOperation", f"{operation} is not emulated")
    if len(request.get("Entries", [])) > _MOST_IN_BATCH:
        raise _Refused("TooManyEntriesInBatchRequest", f"at most {_MOST_IN_BATCH} entries")
    return perform(queues, request)


def _error(code: str, message: str) -> Body:
    return {"__type": f"com.amazonaws.sqs#{code}", "message": message}


def _send(queues: Queues, request: Mapping[str, Any], url: str | None = None) -> Body:
    if request.get("DelaySeconds", 0) > _LONGEST_DELAY_S:
        raise _Refused("InvalidParameterValue", f"DelaySeconds is at most {_LONGEST_DELAY_S}")
    if len(request["MessageBody"].encode()) > _LARGEST_BODY:
        raise _Refused("InvalidParameterValue", f"a message has at most {_LARGEST_BODY} bytes")
    sent = queues.send(
        url or request["QueueUrl"],
        request["MessageBody"],
        delay_s=request.get("DelaySeconds"),
        attributes=request.get("MessageAttributes"),
        group=request.get("MessageGroupId"),
    )
    return {"MessageId": sent.message_id, "MD5OfMessageBody": sent.body_md5}


def _send_batch(queues: Queues, request: Mapping[str, Any]) -> Body:
    url = request["QueueUrl"]
    sent = [{"Id": each["Id"], **_send(queues, each, url)} for each in request["Entries"]]
    return {"Successful": sent, "Failed": []}


def _receive(queues: Queues, request: Mapping[str, Any]) -> Body:
    most = min(request.get("MaxNumberOfMessages", 1), _MOST_IN_BATCH)
    received = queues.receive(request["QueueUrl"], most, request.get("VisibilityTimeout"))
    return {"Messages": [_received(each) for each in received]} if received else {}


def _received(message: Message) -> Body:
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": message.body_md5,
        "Attributes": system_attributes(message),
        "MessageAttributes": dict(message.attributes),
    }


def system_attributes(message: Message) -> dict[str, str]:
    return {
        "ApproximateReceiveCount": str(message.receive_count),
        "SentTimestamp": str(message.sent_at),
        "SenderId": "local",
        "ApproximateFirstReceiveTimestamp": str(message.first_received_at),
    }


def _delete(queues: Queues, request: Mapping[str, Any]) -> Body:
    queues.delete(request["QueueUrl"], request["ReceiptHandle"])
    return {}


def _delete_batch(queues: Queues, request: Mapping[str, Any]) -> Body:
    for each in request["Entries"]:
        queues.delete(request["QueueUrl"], each["ReceiptHandle"])
    return {"Successful": [{"Id": each["Id"]} for each in request["Entries"]], "Failed": []}


def _change_visibility(queues: Queues, request: Mapping[str, Any]) -> Body:
    queues.change_visibility(
        request["QueueUrl"], request["ReceiptHandle"], request["VisibilityTimeout"]
    )
    return {}


def _url(queues: Queues, request: Mapping[str, Any]) -> Body:
    return {"QueueUrl": queues.declaration(request["QueueName"]).url}


def _attributes(queues: Queues, request: Mapping[str, Any]) -> Body:
    """Only how many messages could be taken now is known here."""
    if request["AttributeNames"] != ["ApproximateNumberOfMessages"]:
        raise _Refused("InvalidAttributeName", f"{request['AttributeNames']} are not emulated")
    count = queues.count_visible(request["QueueUrl"])
    return {"Attributes": {"ApproximateNumberOfMessages": str(count)}}


_OPERATIONS: dict[str, Callable[[Queues, Mapping[str, Any]], Body]] = {
    "SendMessage": _send,
    "SendMessageBatch": _send_batch,
    "ReceiveMessage": _receive,
    "DeleteMessage": _delete,
    "DeleteMessageBatch": _delete_batch,
    "ChangeMessageVisibility": _change_visibility,
    "GetQueueAttributes": _attributes,
    "GetQueueUrl": _url,
}
