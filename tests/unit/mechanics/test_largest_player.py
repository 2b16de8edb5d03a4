"""The largest state that a player can come to: it fits into an item, whatever is configured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grapevine.engine.mechanics.configuration import parse
from grapevine.engine.mechanics.counters import MOST_DISTINCT, MOST_RETIRED
from grapevine.engine.mechanics.parts import PPM
from grapevine.engine.mechanics.validating import problems
from grapevine.table.attributes import Item
from tests.unit.mechanics.samples import (
    Playing,
    distinct_values,
    event_count,
    metadata_sum,
    milestone,
    rule,
    streak,
    tier,
)

LONGEST = 64
MOST_BYTES = 400 * 1024
MOST_NUMBER = 999_999_999_999_999
GENERATIONS = 2 + MOST_RETIRED // 10


def named(kind: str, number: int) -> str:
    return f"{kind}{number}".ljust(LONGEST, "x")


def size_of(item: Item) -> int:
    return sum(len(name.encode()) + len(str(value).encode()) for name, value in item.items())


def configured(generation: int, metric: dict[str, Any]) -> dict[str, Any]:
    """As many rules, tiers and milestones as can be, with the longest ids, none of them old."""
    first = 100 * generation
    rules = [rule(named("r", first + one), f"type-{one // 10}", 1) for one in range(100)]
    tiers = [tier(named("t", first + one), PPM // 20) for one in range(20)]
    ten = [
        milestone(named("m", first + one), metric, MOST_DISTINCT, repeat=True, points=10**9)
        for one in range(10)
    ]
    return {
        "points": {"rules": rules},
        "milestones": ten,
        "instantWin": {"eventTypes": ["play"], "tiers": tiers},
    }


@pytest.mark.parametrize(
    "metric",
    [
        distinct_values("count", "of"),
        metadata_sum("count", "amount"),
        event_count("count"),
        streak("count"),
    ],
)
def test_the_largest_player_fits_into_an_item(metric: dict[str, Any]) -> None:
    playing = Playing(parse({}))
    playing.player = replace(
        playing.player,
        user_id="\N{GRINNING FACE}" * 100,
        display_name="\N{GRINNING FACE}" * 100,
        total_points=MOST_NUMBER * 10**6,
    )
    for generation in range(GENERATIONS):
        playing.configuration = parse(configured(generation, metric))
        assert problems(playing.configuration) == []
        for number in range(10):
            playing.send(f"type-{number}")
        for number in range(20):
            playing.send("play", draw=number * PPM // 20)
        for part in range(5):
            values = [f"{generation} {part} {number}" for number in range(100)]
            amount = f"{MOST_NUMBER}.{'9' * 23}"
            playing.send("count", {"of": values, "amount": amount})
    counters = playing.player.counters
    assert len(counters["rules"]) == 100 + MOST_RETIRED
    assert len(counters["wins"]) == 20 + MOST_RETIRED
    assert len(counters["milestones"]) == 10 + MOST_RETIRED

    size = size_of(playing.player.to_item())

    assert size < MOST_BYTES // 3
