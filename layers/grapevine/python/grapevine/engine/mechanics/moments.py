"""Moments: prizes that lie in time, each won by the first play after it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One unit of a tier's prizes, hidden at a time (ms). `number` counts the tier's units
    from 0."""

    tier_id: str
    number: int
    at: int
