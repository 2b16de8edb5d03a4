"""Moments: prizes that lie hidden in time, each won by the first play after it.

A moment is one unit of one tier's prizes, so more prizes than there are cannot be won. Its time
follows from the draw secret: nobody knows it before, anybody can check it afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.parts import InstantWin

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`number` counts the tier's units from 0; the prize can be won from `at` (ms) on."""

    tier_id: str
    number: int
    at: int


def moments_to_add(
    configuration: Configuration,
    *,
    campaign_id: str,
    secret: str,
    existing: dict[str, int],
    saved_at: int,
) -> list[Moment]:
    """The moments that are missing, by time: all of a new configuration, those of units that were
    added to one. `existing` says how many each tier has. They lie between the campaign's start,
    or the save if that was later, and its end. `saved_at` (ms) is the time that is stored with the
    configuration: whoever goes on with a save that died hides the same moments.
    """
    instant_win, end = configuration.instant_win, configuration.ends_at
    if instant_win is None or instant_win.mode != "moments" or end is None:
        return []
    start = max(configuration.starts_at or 0, saved_at)
    if start > end:
        return []
    found = [
        Moment(
            tier_id=tier.id,
            number=number,
            at=start + _offset(secret, f"{campaign_id}|{tier.id}|{number}", end - start + 1),
        )
        for tier in instant_win.tiers
        for number in range(existing.get(tier.id, 0), tier.inventory or 0)
    ]
    return sorted(found, key=lambda moment: (moment.at, moment.tier_id, moment.number))


def open_since(instant_win: InstantWin, now: int) -> int:
    """Moments before that time (ms) have passed and can be won no more."""
    if instant_win.window_minutes is None:
        return 0
    return max(0, now - instant_win.window_minutes * _MINUTE_MS)


def open_moments(instant_win: InstantWin, moments: Iterable[Moment], now: int) -> list[Moment]:
    """Those that can be won now, the oldest first."""
    since = open_since(instant_win, now)
    reached = [each for each in moments if since <= each.at <= now]
    return sorted(reached, key=lambda moment: (moment.at, moment.tier_id, moment.number))


def _offset(secret: str, unit: str, span: int) -> int:
    """A number below `span`, from so many bits that none is likelier than another."""
    digest = hmac.new(bytes.fromhex(secret), f"moment|{unit}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest, "big") % span
