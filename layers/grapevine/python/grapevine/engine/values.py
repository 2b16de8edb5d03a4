"""Kinds of values that a campaign's switches and the API's inputs share."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text
    except ValueError:
        usable = False
    if not usable or not text.isprintable():
        raise PydanticCustomError("url", "Must be an http or https URL.")
    return text


WebAddress = Annotated[str, Field(max_length=2048), AfterValidator(_web_address)]


def whole_number(value: Any) -> Any:
    """Lets a number or, as forms send it, its digits through, but not `true`, which Python takes
    for 1."""
    if isinstance(value, bool):
        raise PydanticCustomError("whole_number", "Must be a whole number.")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    return value


WholeNumber = Annotated[int, BeforeValidator(whole_number)]
