from __future__ import annotations

from typing import Any

import pytest

from grapevine.table.players import Player


@pytest.mark.parametrize(
    ("came_at", "known", "counts_at"),
    [
        (100, {"reached_at": 50, "last_at": 60}, 100),
        (100, {"reached_at": 50, "last_at": 100}, 101),
        # Points that were taken back, or redeemed, changed the total after the last event.
        (100, {"reached_at": 100, "last_at": 50}, 101),
        (100, {"reached_at": 250, "last_at": 50}, 251),
        (100, {"reached_at": 50, "last_at": 250}, 251),
    ],
)
def test_an_event_counts_as_done_after_the_last_one_and_after_the_last_change_of_the_total(
    came_at: int, known: dict[str, Any], counts_at: int
) -> None:
    player = Player(campaign_id="c", user_id="u", joined_at=1, **known)

    assert player.next_at(came_at) == counts_at
