"""What a client sent, as plain values: JSON (strictly) or form fields, never half-understood."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from grapevine.errors import InvalidRequest, PayloadTooLarge, Problem, UnsupportedMediaType

LARGEST_BODY_BYTES = 256 * 1024

_JSON_TYPE = re.compile(r"application/([a-z0-9.+-]+\+)?json|text/json")
_FORM_TYPE = "application/x-www-form-urlencoded"
_MEMBER = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")


def body_bytes(event: Mapping[str, Any], largest: int = LARGEST_BODY_BYTES) -> bytes:
    """The body of an API Gateway event.

    Raises:
        PayloadTooLarge: more than `largest`, which is 256 KiB where nothing else is said.
        InvalidRequest: it claims to be base64 and is not.
    """
    text: str = event.get("body") or ""
    if len(text) > 2 * largest:
        raise _too_large(largest)
    if event.get("isBase64Encoded"):
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError:
            raise _unreadable("The request body is not valid base64.") from None
    else:
        data = text.encode("utf-8", "surrogatepass")
    if len(data) > largest:
        raise _too_large(largest)
    return data


def _too_large(largest: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request body is larger than {largest // 1024} KiB.")


def text_of(data: bytes) -> str:
    """Raises InvalidRequest for what is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable("The request body is not UTF-8 text.") from None


def _media_type(content_type: str | None) -> str:
    return (content_type or "application/json").split(";")[0].strip().lower()


def require_json(content_type: str | None) -> None:
    """A body that does not say what it is is taken for JSON. Raises UnsupportedMediaType for one
    that says that it is something else."""
    if _JSON_TYPE.fullmatch(_media_type(content_type)) is None:
        raise UnsupportedMediaType("Send the request body as application/json.")


def parse_body(data: bytes, content_type: str | None) -> dict[str, Any]:
    """The fields of the body; no body at all is an empty object (the SDK sends some).

    Raises:
        InvalidRequest: not an object, not JSON, NaN, a duplicate key, an absurd number.
        UnsupportedMediaType: neither JSON nor a form.
    """
    if not data.strip():
        return {}
    text = text_of(data)
    if _media_type(content_type) == _FORM_TYPE:
        return parse_form(text)
    require_json(content_type)
    return _parse_json(text)


def _parse_json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    except RecursionError:
        raise _unreadable("The request body is nested too deeply.") from None
    except ValueError as error:
        reason = error.args[0] if isinstance(error, _Refused) else "it is not valid JSON"
        raise _unreadable(f"The request body could not be read: {reason}.") from None
    if not isinstance(value, dict):
        raise _unreadable("The request body must be a JSON object.")
    if "\\u" in text and not _is_text(value):
        raise _unreadable("The request body could not be read: half a surrogate pair is no text.")
    return value


def _is_text(value: Any) -> bool:
    """Whether all that was escaped can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


class _Refused(ValueError):
    pass


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused("a key appears twice")
    return members


def _refuse(constant: str) -> Any:
    raise _Refused(f"{constant} is not a JSON number")


def _unreadable(message: str) -> InvalidRequest:
    return InvalidRequest(message, Problem("body", "", "invalid_body", message))


def parse_form(text: str) -> dict[str, Any]:
    """Form fields; `metadata[plan]=pro` is a member of an object, `vanityKeys[]=a` of a list.

    Raises:
        InvalidRequest: a field is given twice, or in two shapes.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000, errors="strict")
    except ValueError:
        raise _unreadable("The form could not be read.") from None
    return nested(dict_of(pairs))


def dict_of(pairs: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            listed = fields.setdefault(name, [])
            if isinstance(listed, list):
                listed.append(value)
        elif name in fields:
            raise _unreadable("A form field is given twice.")
        else:
            fields[name] = value
    return fields


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Flat fields with bracketed names as an object of objects and lists, one level deep.

    Raises:
        InvalidRequest: the same field in two shapes.
    """
    result: dict[str, Any] = {}
    for name, value in fields.items():
        bracketed = _MEMBER.fullmatch(name)
        if bracketed is None or not bracketed[2]:
            plain = bracketed[1] if bracketed else name
            if plain in result:
                raise _unreadable("A field is given in two shapes.")
            result[plain] = value
            continue
        members = result.setdefault(bracketed[1], {})
        if not isinstance(members, dict):
            raise _unreadable("A field is given in two shapes.")
        members[bracketed[2]] = value
    return result
