"""Moments: prizes that lie hidden in time, each won by the first play after it.

A moment is one unit of one tier's prizes, so more prizes than there are cannot be won. Its time
follows from the draw secret: nobody knows it before, anybody can check it afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from grapevine.engine.mechanics.parts import InstantWin

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """A save of mechanics that hides prizes. `save_id` is its own: of two that want to make the
    same version, only one becomes it. `secret_number` is that of the secret it hides them by."""

    save_id: str
    version: int
    secret_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`number` counts the tier's units of that save from 0; the prize can be won from `at` (ms)
    on."""

    save: Save
    tier_id: str
    number: int
    at: int


@dataclass(frozen=True, slots=True)
class Span:
    """From one time to another (ms), both included."""

    start: int
    end: int

    @property
    def is_over(self) -> bool:
        return self.start > self.end


def moments_of(
    save: Save, counts: Mapping[str, int], span: Span, *, campaign_id: str, secret: str
) -> list[Moment]:
    """The moments of so many units of each tier, by time."""
    if span.is_over:
        return []
    found = [
        Moment(
            save=save,
            tier_id=tier_id,
            number=number,
            at=span.start
            + _offset(
                secret,
                f"{campaign_id}|{save.version}|{tier_id}|{number}",
                span.end - span.start + 1,
            ),
        )
        for tier_id, count in counts.items()
        for number in range(count)
    ]
    return sorted(found, key=in_order)


def in_order(moment: Moment) -> tuple[int, str, int, str]:
    """The oldest first, and always the same one of those that are equally old."""
    return moment.at, moment.tier_id, moment.number, moment.save.save_id


def open_since(instant_win: InstantWin, now: int) -> int:
    """Moments before that time (ms) have passed and can be won no more."""
    if instant_win.window_minutes is None:
        return 0
    return max(0, now - instant_win.window_minutes * _MINUTE_MS)


def _offset(secret: str, unit: str, span: int) -> int:
    """A number below `span`, from so many bits that none is likelier than another."""
    digest = hmac.new(bytes.fromhex(secret), f"moment|{unit}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest, "big") % span
