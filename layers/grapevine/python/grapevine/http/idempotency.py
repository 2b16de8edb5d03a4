"""Repeated requests: the key that tells them, and the first answer, sent again as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from grapevine.errors import InvalidRequest, Problem
from grapevine.http.endpoint import Response

HEADER = "idempotency-key"
FIELD = "reference"
LONGEST_KEY = 255


def repetition_key(headers: Mapping[str, str], reference: str | None = None) -> str | None:
    """The key in the header, without quotes around it, or else the body's `reference`.

    Raises:
        InvalidRequest: it is empty or longer than 255 characters, or both are there and differ.
    """
    sent = headers.get(HEADER)
    if sent is None:
        return reference
    key = sent.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= LONGEST_KEY:
        raise _refused("header", "Idempotency-Key", f"must have 1 to {LONGEST_KEY} characters")
    if reference is not None and reference != key:
        raise _refused("body", FIELD, "must be the same as the header Idempotency-Key")
    return key


def _refused(location: Literal["header", "body"], field: str, message: str) -> InvalidRequest:
    return InvalidRequest(
        f"{field} {message}", Problem(location, field, "idempotency_key", message)
    )


def as_kept(body: str, *, is_replay: bool) -> Response:
    """A body that is kept for repetitions, byte for byte, and told to be one where it is."""
    return Response(200, body, {"idempotent-replayed": "true"} if is_replay else {})
