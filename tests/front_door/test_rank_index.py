"""The rank index on the engine that stands in for DynamoDB, with workers that really race.

The tree is a small one, so that a few dozen participants fill all of its levels; the standings are
made up, because the API would take hours to bring so many about.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from grapevine.engine.parallel import in_parallel
from grapevine.engine.ranks.maintenance import maintain
from grapevine.engine.ranks.reading import ranks_of
from grapevine.engine.ranks.tree import Shape
from grapevine.months import month_at, start_of
from grapevine.table.attributes import unmarshal
from grapevine.table.standings import Standing
from local.stack import Stack
from tests import rank_index
from tests.conftest import inside
from tests.scenarios import leap
from tests.unit.ranks.story import CAMPAIGN, Story

pytestmark = pytest.mark.both_engines

WORKERS = 6


def race(story: Story, shape: Shape) -> None:
    """All that is pending reaches the index: shuffled, some of it twice, some of it for the second
    time, in batches of any size, from workers that all begin at once."""
    chance = story.random
    records = story.pending + chance.choices(story.pending + story.told, k=20)
    chance.shuffle(records)
    cuts = sorted(chance.sample(range(len(records)), WORKERS - 1))
    batches: Sequence[list[Standing]] = [
        records[start:end] for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True)
    ]
    in_parallel([partial(maintain, CAMPAIGN, batch, shape) for batch in batches])
    story.told, story.pending = story.told + story.pending, []


@pytest.mark.parametrize("shape", [Shape(4, 2), Shape(8, 3)], ids=str)
def test_racing_workers_leave_ranks_that_are_those_of_sorting_everybody(
    fresh_stack: Stack, shape: Shape
) -> None:
    story = Story(seed=shape.block_size, shape=shape, month=month_at(fresh_stack.now_ms()))
    with inside(fresh_stack):
        for _ in range(4):
            for _ in range(60):
                story.act_within_the_month()
            race(story, shape)
            everybody, living = list(story.standings.values()), story.living()

            found = ranks_of(CAMPAIGN, living, story.month, shape=shape)

            shown = {one.participant_id: each for one, each in zip(living, found, strict=True)}
            assert shown == rank_index.brute_force(everybody, story.month)
            pages = fresh_stack.dynamodb.get_paginator("scan").paginate(
                TableName=fresh_stack.table_name, ConsistentRead=True
            )
            items = [unmarshal(item) for page in pages for item in page["Items"]]
            wrong = list(rank_index.problems(items, everybody, story.month, shape))
            assert not wrong, "\n".join(wrong)
            story.turn_month()
            leap(fresh_stack, start_of(story.month))
