"""Metadata: the customer's own values on a participant (growsurf rules).

A shallow object of at most 50 keys; keys are letters and digits, stored in camelCase; values are
text of at most 500 characters, numbers or booleans, given back as they were sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Scalar = str | int | float | bool

MOST_KEYS = 50
LONGEST_KEY = 40
LONGEST_VALUE = 500
LARGEST_NUMBER = 2**53
"""Beyond it JavaScript, in which most receivers of webhooks are written, loses digits."""

_RESERVED = "gdprAgreements"


class InvalidMetadata(ValueError):
    """`args[0]` says which rule was broken."""


def camel_key(key: str) -> str:
    """`My Metadata Key` and `my_metadata_key` are both stored as `myMetadataKey`.

    Raises:
        InvalidMetadata
    """
    words = re.split(r"[ _-]+", key.strip(" _-"))
    if not words[0] or not all(word.isascii() and word.isalnum() for word in words):
        raise InvalidMetadata("Metadata keys can only contain letters and digits.")
    camel = words[0][0].lower() + words[0][1:] + "".join(w[0].upper() + w[1:] for w in words[1:])
    if len(camel) > LONGEST_KEY:
        raise InvalidMetadata(f"Metadata keys cannot be longer than {LONGEST_KEY} characters.")
    if camel.isdigit():
        raise InvalidMetadata("Metadata keys need at least one letter.")
    if camel == _RESERVED:
        raise InvalidMetadata(f"The metadata key {_RESERVED} is reserved.")
    return camel


def checked(metadata: Mapping[str, object]) -> dict[str, Scalar | None]:
    """The metadata under its stored keys; None stands for a key to remove.

    Raises:
        InvalidMetadata
    """
    result: dict[str, Scalar | None] = {}
    for key, value in metadata.items():
        name = camel_key(key)
        if name in result:
            raise InvalidMetadata(f"Two metadata keys are both stored as {name}.")
        result[name] = _checked_value(value)
    if len(result) > MOST_KEYS:
        raise InvalidMetadata(f"Metadata cannot have more than {MOST_KEYS} keys.")
    return result


def _checked_value(value: object) -> Scalar | None:
    match value:
        case None | bool():
            return value
        case str() if len(value) <= LONGEST_VALUE:
            return value
        case str():
            raise InvalidMetadata(
                f"Metadata values cannot be longer than {LONGEST_VALUE} characters."
            )
        case int() | float() if abs(value) <= LARGEST_NUMBER:
            return value
        case int() | float():
            raise InvalidMetadata("Metadata numbers must lie between -2^53 and 2^53.")
    raise InvalidMetadata("Metadata values must be text, numbers or booleans.")


def merged(
    before: Mapping[str, Scalar], changes: Mapping[str, Scalar | None] | None
) -> dict[str, Scalar]:
    """Changes laid over what there was: None removes a key, None as a whole removes all.

    Raises:
        InvalidMetadata: there would be too many keys.
    """
    if changes is None:
        return {}
    together = {**before, **changes}
    result = {key: value for key, value in together.items() if value is not None}
    if len(result) > MOST_KEYS:
        raise InvalidMetadata(f"Metadata cannot have more than {MOST_KEYS} keys.")
    return result
