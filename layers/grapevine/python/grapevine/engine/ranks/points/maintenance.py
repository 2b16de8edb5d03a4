"""Keeping the index of ranks by points."""

from __future__ import annotations

from collections.abc import Iterable

from grapevine.engine.ranks.points.places import Place


def maintain(
    campaign_id: str, board: str, places: Iterable[Place], *, expires_at: int | None = None
) -> None:
    """The board's index counts these places, or newer ones of the same players. Its items are
    removed after `expires_at` (seconds), where there is one; from then on nothing is counted.

    Raises:
        Busy: some may be counted; repeating is safe.
    """
    raise NotImplementedError
