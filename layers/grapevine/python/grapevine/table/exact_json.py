"""JSON text that keeps every number as it was sent: fractions are Decimals, never floats."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def loads(text: str) -> Any:
    """Whole numbers come as int, all others as Decimal."""
    return json.loads(text, parse_float=Decimal)


def dumps(value: Any) -> str:
    """Raises TypeError for what JSON has no form of, ValueError for NaN and infinities."""
    match value:
        case Decimal():
            if not value.is_finite():
                raise ValueError("not a finite number")
            return str(value)
        case dict():
            members = (f"{_text(name)}:{dumps(each)}" for name, each in value.items())
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            return f"[{','.join(dumps(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError("the name of a member is a text")
    return json.dumps(name, ensure_ascii=False)
