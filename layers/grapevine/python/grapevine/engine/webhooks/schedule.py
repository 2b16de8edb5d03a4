"""When a delivery is attempted again: the schedule of Standard Webhooks with jitter.

Ten attempts over about 75 h. An endpoint that asks for more time with Retry-After gets it, up to
a day per attempt; it never shortens a wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from grapevine.engine.webhooks.outcome import Outcome

_SECOND = 1000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE

WAITS_MS = (
    0,
    5 * _SECOND,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""How long each attempt waits for after the one before it; the first goes out at once."""

MOST_ATTEMPTS = len(WAITS_MS)
JITTER = 0.1
"""A wait is stretched or shortened by up to a tenth; what Retry-After asks for is only stretched.
So deliveries that failed together do not come back together."""
LONGEST_RETRY_AFTER_MS = 24 * _HOUR

_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_MOST_DIGITS = 12


def next_attempt_at(
    outcome: Outcome, *, attempts_made: int, now_ms: int, random: Callable[[], float]
) -> int | None:
    """When to attempt again, in Unix milliseconds; None when this attempt was the last.

    It was the last when the event arrived, the endpoint is gone, the destination is refused, or
    the attempts are exhausted. `now_ms` is when the attempt ended, `attempts_made` counts it, and
    `random` gives numbers from 0 to below 1.
    """
    if outcome.kind != "failed" or attempts_made >= MOST_ATTEMPTS:
        return None
    spread = random()
    wait = WAITS_MS[attempts_made] * (1 - JITTER + 2 * JITTER * spread)
    asked_for = min(outcome.retry_after_ms or 0, LONGEST_RETRY_AFTER_MS) * (1 + JITTER * spread)
    return now_ms + round(max(wait, asked_for))


def retry_after_ms(header: str | None, now_ms: int) -> int | None:
    """What a Retry-After header asks for, in milliseconds from now; None when it is no such value.

    It is a number of seconds or an HTTP date; a date that has passed asks for no wait.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return int(text.lstrip("0")[:_MOST_DIGITS] or "0") * _SECOND
    try:
        date = parsedate_to_datetime(text)
        # A date without a zone is in universal time (RFC 9110).
        at_ms = round((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0, at_ms - now_ms)
