"""Ranks by points and the stream that brings them, as AWS may deliver it: twice, in pieces, in any
order, with a poison record and workers that die; and workers that really race."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from grapevine.engine.parallel import in_parallel
from grapevine.engine.ranks.points.maintenance import maintain
from grapevine.engine.ranks.points.places import place_of
from grapevine.engine.ranks.points.trie import Shape
from grapevine.table import player_keys
from grapevine.table.attributes import marshal
from grapevine.table.players import Player
from local.stack import Stack
from tests import points_index
from tests.conftest import inside
from tests.invariants import table_of
from tests.playing import Game, mechanics
from tests.scenarios import interrupted
from tests.unit.ranks.points_story import BOARD, CAMPAIGN, PointsStory

PROJECT = "ProjectStandingsFunction"
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Played:
    """A campaign with a dozen players, some of them with equal points, one who lost all again."""

    game: Game

    @property
    def stack(self) -> Stack:
        return self.game.stack

    def deliver(self, records: list[Record]) -> None:
        assert self.stack.deliver(PROJECT, records) == {"batchItemFailures": []}

    def check(self) -> None:
        """The index adds up, and ranks are those of sorting all players."""
        self.stack.drain()
        items = list(table_of(self.stack).values())
        own = [item for item in items if item.get("campaignId") == self.game.campaign_id]
        users = [item["userId"] for item in own if item["type"] == Player.TYPE]
        players = [player for each in users if (player := self.game.player(each))]
        wrong = list(points_index.problems(own, map(place_of, players)))
        assert not wrong, "\n".join(wrong)
        order = sorted(players, key=lambda one: (-one.total_points, one.reached_at, one.user_id))
        for rank, player in enumerate(order, start=1):
            shown = self.game.call("GET", f"participants/{player.user_id}").json()["data"]
            assert (shown["rank"], shown["totalPoints"]) == (rank, player.total_points)


@pytest.fixture
def played(stack: Stack) -> Played:
    stack.drain()
    game = Game.started(stack, {"points": mechanics()["points"]})
    for number in range(12):
        user_id = f"user-{number:02d}"
        game.event(user_id, "signup" if number % 3 else "nothing")
        for _ in range(number % 4):
            game.event(user_id, "purchase", {"amount": 20})
    event = game.event("user-07", "purchase", {"amount": 20})
    assert event["totalPoints"] == 450
    for line in game.ledger("user-07"):
        body = {"userId": "user-07"}
        game.call("POST", f"events/{line.event_id}/reverse", body)
    return Played(game)


def test_ranks_are_those_of_sorting_everybody(played: Played) -> None:
    played.check()


def test_a_batch_delivered_twice_counts_once(played: Played) -> None:
    played.stack.drain()

    played.stack.redeliver(PROJECT)

    played.check()


@pytest.mark.parametrize("seed", range(2))
def test_any_delivery_at_least_once_counts_exactly_once(played: Played, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - chosen orders, no secrets
    records = played.stack.take_records(PROJECT)
    deliveries = [*records, *chance.choices(records, k=len(records))]
    chance.shuffle(deliveries)

    while deliveries:
        size = chance.randint(1, 8)
        batch, deliveries = deliveries[:size], deliveries[size:]
        played.deliver(batch)

    played.check()


def test_a_worker_that_dies_after_any_call_is_made_up_for(played: Played) -> None:
    for calls in range(3, 60, 7):
        played.game.event("user-03", "purchase", {"amount": 20})
        with played.stack.kill_after(calls, PROJECT) as order:
            played.stack.drain()
        if not order.happened:
            break

    assert calls > 3
    played.check()


def test_a_worker_overtaken_by_another_adds_the_rest(played: Played) -> None:
    records = played.stack.take_records(PROJECT)
    half = len(records) // 2

    with interrupted(played.stack, PROJECT, 2, lambda: played.deliver(records[half:])):
        played.deliver(records[:half])

    played.check()


def test_a_player_that_cannot_be_counted_holds_nobody_up(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    game.event("somebody", "signup")
    poison = player_keys.player(game.campaign_id, "poison")
    whole = Player(campaign_id=game.campaign_id, user_id="poison", joined_at=1, reached_at=1)
    item = {**whole.to_item(), "totalPoints": -5}
    fresh_stack.dynamodb.put_item(TableName=fresh_stack.table_name, Item=marshal(item))
    game.event("another", "signup")

    fresh_stack.drain()

    [_] = fresh_stack.queue_messages("StreamFailureQueue")
    fresh_stack.dynamodb.delete_item(
        TableName=fresh_stack.table_name,
        Key=marshal({"partition": poison.partition, "sort": poison.sort}),
    )
    Played(game).check()


def test_what_the_projection_of_players_writes_never_comes_back_to_it(played: Played) -> None:
    records = played.stack.take_records(PROJECT)
    before = table_of(played.stack)
    played.deliver(records)
    after = table_of(played.stack)

    written = {item["type"] for key, item in after.items() if before.get(key) != item}

    assert written == {"PointsHead", "PointsJournal", "PointsNode", "PointsCounted"}
    for mapping in played.stack.declared.stream_mappings:
        for kind in written:
            assert not mapping.filters({"dynamodb": {"NewImage": {"type": {"S": kind}}}})


WORKERS = 6


def race(story: PointsStory, shape: Shape) -> None:
    """All that is pending reaches the index: shuffled, some of it twice, some of it for the second
    time, in batches of any size, from workers that all begin at once."""
    chance = story.random
    records = story.pending + chance.choices(story.pending + story.told, k=20)
    chance.shuffle(records)
    cuts = sorted(chance.sample(range(len(records)), WORKERS - 1))
    batches = [
        records[start:end] for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True)
    ]
    in_parallel([partial(maintain, CAMPAIGN, BOARD, batch, shape=shape) for batch in batches])
    story.told, story.pending = story.told + story.pending, []


@pytest.mark.both_engines
def test_racing_workers_leave_an_index_that_adds_up(fresh_stack: Stack) -> None:
    shape = Shape(3, 3, (38, 4, 4, 2))
    story = PointsStory(seed=5, shape=shape)
    with inside(fresh_stack):
        for _ in range(3):
            for _ in range(60):
                story.act()
            race(story, shape)

            items = table_of(fresh_stack).values()
            of_index = [item for item in items if item.get("campaignId") == CAMPAIGN]
            wrong = list(points_index.problems(of_index, story.places.values(), shape))
            assert not wrong, "\n".join(wrong)
