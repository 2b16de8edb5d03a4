"""Events, as the Referd API takes them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from grapevine.engine.mechanics.occurrences import INTERNAL_PREFIX
from grapevine.http.models.event_fields import (
    LONGEST_NAME,
    Lenient,
    MetadataRefused,
    UserId,
    checked_metadata,
)

MOST_EVENTS = 20
LONGEST_DISPLAY_NAME = 255


def _events(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "must be an object")
    if not value:
        raise PydanticCustomError("missing", "must have an event")
    if len(value) > MOST_EVENTS:
        raise _refused(f"There must not be more than {MOST_EVENTS} events")
    return {name: _event(name, metadata) for name, metadata in value.items()}


def _event(name: str, metadata: Any) -> dict[str, Any]:
    if not name.strip() or len(name) > LONGEST_NAME or name.startswith(INTERNAL_PREFIX):
        raise _refused(
            f"The name of an event must have 1 to {LONGEST_NAME} characters, must not be blank "
            f"and must not begin with {INTERNAL_PREFIX}"
        )
    try:
        return _without_nulls(checked_metadata(metadata))
    except MetadataRefused as refused:
        raise _refused(f"The metadata of event '{name}' {refused}") from None


def _without_nulls(metadata: dict[str, Any]) -> dict[str, Any]:
    """Clients send null for what they do not know."""
    return {
        name: [each for each in value if each is not None] if isinstance(value, list) else value
        for name, value in metadata.items()
        if value is not None
    }


def _refused(message: str) -> PydanticCustomError:
    return PydanticCustomError("events", "{message}", {"message": message})


Events = Annotated[
    dict[str, dict[str, Any]],
    PlainValidator(_events),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": MOST_EVENTS,
            "propertyNames": {"minLength": 1, "maxLength": LONGEST_NAME},
            "additionalProperties": {"type": ["object", "null"], "additionalProperties": True},
            "description": "The metadata of each event, by the event's name.",
        }
    ),
]


class PlayerAttributes(Lenient):
    """Of what clients send of a player, what leaderboards show."""

    display_name: Annotated[str, Field(max_length=LONGEST_DISPLAY_NAME)] | None = None


class SendEvents(Lenient):
    """Ids and names of events are compared exactly, small letters and capitals are different."""

    player_unique_id: UserId
    events: Events
    player_attributes: PlayerAttributes | None = None


class Accepted(BaseModel):
    """Nothing: the events are stored, what they earn is found out later."""


class ReferdError(BaseModel):
    """`code` is one of the API's own, or a status where it has none."""

    code: int
    message: str
