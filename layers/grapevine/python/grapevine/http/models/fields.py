"""The kinds of fields that several inputs share, and the base of all inputs and outputs."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from grapevine.engine.participants.metadata import InvalidMetadata, checked


class Input(BaseModel):
    """A body: fields that the API does not know are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Query(BaseModel):
    """A query string: parameters that the API does not know are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Output(BaseModel):
    """An answer; a field that was not set is left out of it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def when_sent() -> Any:
    """A field of a partial update: it may be left out, and null is one of its values only where
    its type says so."""
    return Field(default_factory=lambda: None)


def _without_control_characters(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise PydanticCustomError("control_character", "Must not contain control characters.")
    return text


def _without_control_characters_but_breaks(text: str) -> str:
    _without_control_characters(text.translate({9: None, 10: None, 13: None}))
    return text


def _email(text: str) -> str:
    # Loaded on first use: most functions never validate an address.
    from email_validator import EmailNotValidError, validate_email

    address = text.strip()
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise PydanticCustomError("email", "Must be a valid email address.") from None
    return address


def _limit(value: Any) -> int:
    try:
        limit = int(str(value)) if str(value).isascii() else 0
    except ValueError:
        raise PydanticCustomError("limit", "Limit must be a number.") from None
    if limit < 1:
        raise PydanticCustomError("limit", "Limit must be at least 1.")
    if limit > 100:
        raise PydanticCustomError("limit", "Limit cannot be more than 100.")
    return limit


def _metadata(value: Any) -> Any:
    if not isinstance(value, dict):
        raise PydanticCustomError("metadata", "Metadata must be an object.")
    try:
        return checked(value)
    except InvalidMetadata as error:
        raise PydanticCustomError("metadata", "{reason}", {"reason": str(error)}) from None


Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Name = Annotated[str, Field(max_length=255), AfterValidator(_without_control_characters)]
Signal = Annotated[str, Field(max_length=255), AfterValidator(_without_control_characters)]
Text = Annotated[str, AfterValidator(_without_control_characters_but_breaks)]
Notes = Annotated[
    str, Field(max_length=500), AfterValidator(_without_control_characters_but_breaks)
]
ParticipantName = Annotated[str, Field(min_length=1, max_length=100)]
"""An id, a vanity key or an e-mail address."""
VanityKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
Limit = Annotated[
    int,
    PlainValidator(_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 100}),
]
Metadata = Annotated[dict[str, str | int | float | bool | None], BeforeValidator(_metadata)]
