"""Events whose bytes are easily got wrong."""

from __future__ import annotations

from typing import Any

AWKWARD: dict[str, dict[str, Any]] = {
    "plain": {"event": "CAMPAIGN_ENDED", "createdAt": 1_700_000_000_000, "data": {"id": "abc123"}},
    "non-ASCII names": {"firstName": "Žofie", "lastName": "Åström", "city": "東京", "rtl": "שלום"},
    "emoji": {"firstName": "👩‍👩‍👧", "flag": "🇨🇿", "outside the basic plane": "\U0001d4b3"},
    "separators of lines": {"notes": "a\u2028b\u2029c\x7f\x85"},
    "control characters": {"notes": '\x00\x01\x1f\b\f\n\r\t"\\/'},
    "lone surrogates": {"high": "\ud83d!", "low": "\ude00", "\udc00": 1},
    "large integers": {"most": 2**53, "least": -(2**53), "safe": 2**53 - 1},
    "empty metadata": {"metadata": {}, "rewards": [], "notes": ""},
    "nothing": {},
    "floats": {
        "half": 0.5,
        "whole": 1.0,
        "negative zero": -0.0,
        "many digits": 0.1 + 0.2,
        "small": [1e-6, 1e-7, 1.5e-7, 5e-324, -2.5e-10],
        "large": [1e20, 123456789012345680000.0, 1e21, -1e21, 2.0**60, 1.7976931348623157e308],
    },
    "keys like indexes": {
        "b": 1, "10": 2, "9": 3, "a": 4, "0": 5, "01": 6, "-1": 7, "1.5": 8,
        "4294967294": 9, "4294967295": 10, "4294967296": 11, "٣": 12,
    },
    "names of JavaScript's own": {"__proto__": {"a": 1}, "constructor": None, "toString": True},
    "nested": {"data": {"winners": [{"id": "a", "metadata": {"plan": "pro", "2": [None, True]}}]}},
}  # fmt: skip
