"""The kinds of fields that events consist of, whichever API they come by, and their limits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from grapevine.engine.mechanics.occurrences import INTERNAL_PREFIX
from grapevine.errors import NotFound
from grapevine.table import exact_json
from grapevine.table.player_keys import LONGEST_USER_ID, is_user_id

LONGEST_NAME = 100
MOST_METADATA_BYTES = 8 * 1024
MOST_KEYS = 50
LONGEST_KEY = 100
LONGEST_TEXT = 1000
MOST_VALUES = 100


class Lenient(BaseModel):
    """A body of which fields that the API does not know are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class MetadataRefused(ValueError):
    """Says what is wrong, as a part of a sentence."""


def checked_metadata(value: Any) -> dict[str, Any]:
    """Metadata as it was sent; null is none at all. Objects inside have the same limits.

    Raises:
        MetadataRefused: it is no object, or beyond a limit.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MetadataRefused("must be an object")
    _check_members(value)
    if len(exact_json.dumps(value).encode()) > MOST_METADATA_BYTES:
        raise MetadataRefused(f"must not be larger than {MOST_METADATA_BYTES // 1024} KiB")
    return value


def _check_members(members: dict[str, Any]) -> None:
    if len(members) > MOST_KEYS:
        raise MetadataRefused(f"must not have more than {MOST_KEYS} keys")
    for name, value in members.items():
        if len(name) > LONGEST_KEY:
            raise MetadataRefused(f"must not have keys longer than {LONGEST_KEY} characters")
        match value:
            case dict():
                _check_members(value)
            case list():
                _check_values(value)
            case _:
                _check_scalar(value)


def _check_values(values: list[Any]) -> None:
    if len(values) > MOST_VALUES:
        raise MetadataRefused(f"must not have arrays of more than {MOST_VALUES} values")
    for value in values:
        _check_scalar(value)


def _check_scalar(value: Any) -> None:
    # The range of numbers is looked at where the body is read.
    if not isinstance(value, str | int | Decimal | None):
        raise MetadataRefused("must not have arrays of anything but texts, numbers and booleans")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise MetadataRefused(f"must not have texts longer than {LONGEST_TEXT} characters")


def _metadata(value: Any) -> dict[str, Any]:
    try:
        return checked_metadata(value)
    except MetadataRefused as refused:
        raise PydanticCustomError("metadata", "{reason}", {"reason": str(refused)}) from None


def not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return text


def _not_internal(event_type: str) -> str:
    if event_type.startswith(INTERNAL_PREFIX):
        raise PydanticCustomError("internal", f"must not begin with {INTERNAL_PREFIX}")
    return event_type


def user_id_in(path: Mapping[str, str]) -> str:
    """The user id in a path. Raises NotFound for what cannot be one."""
    user_id = path["userId"]
    if not is_user_id(user_id):
        raise NotFound("Campaign or participant not found")
    return user_id


def _user_id(text: str) -> str:
    if not is_user_id(not_blank(text)):
        raise PydanticCustomError("user_id", "must be a user id")
    return text


UserId = Annotated[str, Field(min_length=1, max_length=LONGEST_USER_ID), AfterValidator(_user_id)]
EventType = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_NAME),
    AfterValidator(not_blank),
    AfterValidator(_not_internal),
]
EventMetadata = Annotated[
    dict[str, Any],
    PlainValidator(_metadata),
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "maxProperties": MOST_KEYS,
            "propertyNames": {"maxLength": LONGEST_KEY},
            "additionalProperties": True,
            "description": "At most 8 KiB; arrays hold texts, numbers and booleans.",
        }
    ),
]
