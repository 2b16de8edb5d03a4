"""The activity log of a participant, as the GrowSurf API shows and takes it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from grapevine.engine.activities import LogPage
from grapevine.http.models.fields import Limit, Output, Query
from grapevine.table.activities import Activity, ActivityKind

_MOST_OFFSET = 10_000


def _offset(value: Any) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 100):
        raise PydanticCustomError("offset", "Offset must be a whole number of at least 0.")
    if int(text) > _MOST_OFFSET:
        raise PydanticCustomError("offset", "Offset cannot be more than 10000.")
    return int(text)


class ListActivityLogs(Query):
    limit: Limit = 20
    offset: Annotated[
        int,
        PlainValidator(_offset),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _MOST_OFFSET}),
    ] = 0


class ActivityLog(Output):
    """`type` is the family; people and rewards are named by their ids."""

    type: ActivityKind
    text: str
    created_at: Annotated[int, Field(description="Milliseconds since 1970")]

    @classmethod
    def of(cls, line: Activity) -> ActivityLog:
        return cls.model_construct(type=line.kind, text=line.text, created_at=line.at)


class ActivityLogList(Output):
    """Newest first. `offset` is that of the next page, null on the last one."""

    activity_logs: list[ActivityLog]
    limit: int
    offset: int | None

    @classmethod
    def of(cls, page: LogPage, limit: int) -> ActivityLogList:
        return cls.model_construct(
            activity_logs=[ActivityLog.of(line) for line in page.lines],
            limit=limit,
            offset=page.next_offset,
        )
