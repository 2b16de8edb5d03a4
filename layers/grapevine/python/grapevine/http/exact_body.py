"""A JSON body as the event APIs read it: numbers exactly, no key twice, and where not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from grapevine.engine.mechanics.numbers import is_kept
from grapevine.errors import InvalidRequest, Problem
from grapevine.http.body import require_json, text_of

LARGEST_BODY_BYTES = 64 * 1024
MOST_LEVELS = 32

_LONGEST_ECHO = 200
_MOST_DIGITS_OF_AN_INT = 40
_FAR_TOO_LARGE = Decimal("Infinity")


class _Members(dict[str, Any]):
    """An object; `twice` is a key of it that was sent more than once."""

    twice: str | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """What in a well-formed JSON text an API cannot take, and where."""

    path: tuple[str, ...]
    kind: Literal["replicated", "number", "text", "depth"]


_MESSAGES = {
    "replicated": "is replicated",
    "number": "must be below 10^15 and have at most 38 digits",
    "text": "is no text: half a surrogate pair",
    "depth": f"is nested deeper than {MOST_LEVELS} levels",
}

UNREADABLE = "invalid_body"
"""The code of a problem with a body that is no JSON object at all."""


def sendable(name: str) -> str:
    """What was sent as a name, as an answer may repeat it: not at any length, and as text."""
    return name[:_LONGEST_ECHO].encode("utf-8", "replace").decode()


def problem_of(flaw: Flaw) -> Problem:
    """Its code is the flaw's kind."""
    return Problem("body", sendable(".".join(flaw.path)), flaw.kind, _MESSAGES[flaw.kind])


def parse_exact(
    data: bytes,
    content_type: str | None,
    told: Callable[[Flaw], Problem] = problem_of,
    counted: str | None = None,
) -> dict[str, Any]:
    """The fields of the body: whole numbers as int, others as Decimal. `counted` is the field whose
    numbers must be such as can be counted with; all of them, where none is named.

    Raises:
        InvalidRequest: not a JSON object (the problem's code is `UNREADABLE`), or one with a flaw
            (the problem is as `told`).
        UnsupportedMediaType: it says that it is something else.
    """
    require_json(content_type)
    try:
        value = json.loads(
            text_of(data),
            object_pairs_hook=_members,
            parse_constant=_refuse,
            parse_int=_whole,
            parse_float=_fraction,
        )
    except (ValueError, RecursionError):
        raise _unreadable("must be JSON") from None
    if not isinstance(value, dict):
        raise _unreadable("must be a JSON object")
    flaw = next((one for one in _flaws(value) if _matters(one, counted)), None)
    if flaw is not None:
        problem = told(flaw)
        raise InvalidRequest(problem.message, problem)
    return value


def _unreadable(message: str) -> InvalidRequest:
    return InvalidRequest(message, Problem("body", "body", UNREADABLE, message))


def _members(pairs: list[tuple[str, Any]]) -> _Members:
    members = _Members(pairs)
    if len(members) != len(pairs):
        members.twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
    return members


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _whole(digits: str) -> int | Decimal:
    # Thousands of digits cost an int time that grows with their square.
    return int(digits) if len(digits) <= _MOST_DIGITS_OF_AN_INT else Decimal(digits)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond anything
        return _FAR_TOO_LARGE


def _flaws(body: dict[str, Any]) -> Iterator[Flaw]:
    """Without recursion: what is nested too deeply for the one is too deep for the other."""
    open_ones: list[tuple[tuple[str, ...], Any]] = [((), body)]
    while open_ones:
        path, value = open_ones.pop()
        if len(path) > MOST_LEVELS:
            yield Flaw(path[:3], "depth")
            continue
        match value:
            case _Members():
                yield from _flaws_of_names(path, value)
                open_ones += [((*path, name), each) for name, each in reversed(value.items())]
            case list():
                found = [((*path, str(place)), each) for place, each in enumerate(value)]
                open_ones += reversed(found)
            case str() if not _is_text(value):
                yield Flaw(path, "text")
            case int() | Decimal() if not isinstance(value, bool) and not is_kept(value):
                yield Flaw(path, "number")


def _matters(flaw: Flaw, counted: str | None) -> bool:
    return flaw.kind != "number" or counted is None or flaw.path[0] == counted


def _flaws_of_names(path: tuple[str, ...], members: _Members) -> Iterator[Flaw]:
    if members.twice is not None:
        yield Flaw((*path, members.twice), "replicated")
    yield from (Flaw((*path, name), "text") for name in members if not _is_text(name))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
