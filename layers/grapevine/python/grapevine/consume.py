"""Consumers of the table's stream and of queues: what they share is how a failure is reported.

A stream consumer stops at its first failure within a campaign's records and reports the earliest
one, so that nothing is taken out of order; a queue consumer reports each message that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from grapevine.log import log_defect, logger
from grapevine.table.attributes import Change, change_in

T = TypeVar("T")


class FailedAtHead(Exception):
    """The first record of a batch failed. Lambda would retry a batch that reports its own first
    record as a whole, and give up all of it; an error makes it cut the batch in halves instead,
    until the record is alone."""


Handler = Callable[[Mapping[str, Any], Any], Any]


def stream_consumer(
    *,
    parse: Callable[[Change], T | None],
    group: Callable[[T], str],
    handle: Callable[[str, list[T]], None],
) -> Handler:
    """A handler of a stream batch: `handle` gets what was parsed of each group, in order; a change
    that parses to None is passed over.

    A record that cannot be parsed ends the batch there: what stood before it is handled, and the
    mapping retries from it until it lands in the failure queue by itself.
    """

    def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        groups: dict[str, list[tuple[int, T]]] = {}
        failed: list[int] = []
        for position, record in enumerate(event["Records"]):
            try:
                parsed = parse(change_in(record))
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it must be reported
                log_defect(error)
                failed.append(position)
                break
            if parsed is not None:
                groups.setdefault(group(parsed), []).append((position, parsed))
        for name, members in groups.items():
            try:
                handle(name, [parsed for _, parsed in members])
            except Exception as error:  # noqa: BLE001 - other campaigns must not wait for this one
                log_defect(error)
                failed.append(members[0][0])
        logger().info("stream batch", records=len(event["Records"]), failed=len(failed))
        if not failed:
            return {"batchItemFailures": []}
        if min(failed) == 0 and len(event["Records"]) > 1:
            raise FailedAtHead
        first = event["Records"][min(failed)]["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": first}]}

    return handler


def queue_consumer(handle: Callable[[str], None]) -> Handler:
    """A handler of a queue batch: `handle` gets the body of each message on its own."""

    def handle_record(record: SQSRecord) -> None:
        try:
            handle(record.body)
        except Exception as error:
            log_defect(error)
            raise

    def handler(event: Mapping[str, Any], context: Any) -> Any:
        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return process_partial_response(
            event=dict(event),
            record_handler=handle_record,
            processor=processor,
            context=context,
        )

    return handler
