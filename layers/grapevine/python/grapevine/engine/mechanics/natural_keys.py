"""What makes two events the same one where the client sends no key: an order, or a day."""

from __future__ import annotations

from typing import Any

from grapevine.engine.mechanics.conditions import values_at
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.numbers import number_in, spelled
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.periods import periods_at
from grapevine.table import exact_json

CALENDAR_DAY = "calendarDay"
METADATA = "metadata."


def natural_key(configuration: Configuration, occurrence: Occurrence) -> str | None:
    """A text that is equal for equal events, of whatever origin; None for one that is new in any
    case: of a type without `dedupe`, or without a value for it."""
    for dedupe in configuration.dedupe:
        if dedupe.event_type != occurrence.event_type:
            continue
        value = (
            str(periods_at(occurrence.at, configuration.timezone).date)
            if dedupe.by == CALENDAR_DAY
            else _value(occurrence, dedupe.by.removeprefix(METADATA))
        )
        if value is None:
            return None
        parts = [occurrence.user_id, occurrence.event_type, dedupe.by, value]
        return exact_json.dumps(parts)
    return None


def _value(occurrence: Occurrence, path: str) -> str | None:
    """One text for a number however it is spelled; an order is not another one for its zeros
    behind the point. Texts are taken as they are: "007" is not 7."""
    values = values_at(occurrence.metadata, path)
    if not any(str(each).strip() for each in values):
        return None
    return exact_json.dumps([_text(each) for each in values])


def _text(value: Any) -> str:
    number = None if isinstance(value, str) else number_in(value)
    return str(value) if number is None else spelled(number)
