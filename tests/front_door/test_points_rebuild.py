"""The index of ranks by points made anew: whatever was damaged is found and right again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest

from grapevine import runtime
from grapevine.engine.ranks.boards import Boards
from grapevine.engine.ranks.codec import decode, encode
from grapevine.engine.ranks.points.places import Counted, place_of
from grapevine.engine.ranks.points.trie import CHILDREN, MEMBERS
from grapevine.engine.rebuild import points
from grapevine.engine.rebuild.campaign import rebuild
from grapevine.table import rank_keys
from grapevine.table.attributes import Item, marshal, unmarshal
from grapevine.table.keys import Key
from grapevine.table.players import Player
from grapevine.table.points_board import Ranked, every_player
from local import invocation
from local.invocation import Invocation, Killed, KillOrder
from local.stack import Stack
from tests import points_index
from tests.invariants import table_of
from tests.playing import Game, mechanics
from tests.scenarios import MINUTE_MS, interrupted, project

REBUILD = "rebuild"
PROJECT = "ProjectStandingsFunction"


@dataclass(frozen=True, slots=True)
class Played:
    """A campaign with more players than a bucket holds at one total."""

    game: Game

    @property
    def stack(self) -> Stack:
        return self.game.stack

    @classmethod
    def begin(cls, stack: Stack) -> Played:
        game = Game.started(stack, {"points": mechanics()["points"]})
        for number in range(70):
            game.event(f"user-{number:02d}", "signup")
        game.event("user-07", "purchase", {"amount": 20})
        stack.drain()
        return cls(game)

    def rebuild(self, order: KillOrder | None = None) -> list[str]:
        """The lines of the report."""
        clients = {"dynamodb": self.stack._clients["dynamodb"]}
        own = replace(self.stack.runtime(), client=clients.__getitem__)
        with invocation.within(Invocation(REBUILD, order)), runtime.using(own):
            return rebuild(self.game.campaign_id, lambda *_: None).lines()

    def check(self) -> None:
        """The index adds up, and a rebuild finds nothing."""
        self.check_index()
        assert self.rebuild() == []

    def check_index(self) -> None:
        self.stack.drain()
        wrong = list(points_index.problems(self.of_head(), map(place_of, self.players())))
        assert not wrong, "\n".join(wrong)

    def own(self) -> list[Item]:
        items = table_of(self.stack).values()
        return [item for item in items if item.get("campaignId") == self.game.campaign_id]

    def of_head(self) -> list[Item]:
        head = self.head()
        return [
            item
            for item in self.own()
            if not item["type"].startswith("Points")
            or (item["generation"] == head["generation"] and not item.get("isDraft"))
        ]

    def players(self) -> list[Player]:
        users = [item["userId"] for item in self.own() if item["type"] == Player.TYPE]
        return [player for each in users if (player := self.game.player(each))]

    # Past the API

    def item(self, key: Key) -> Item:
        found = self.stack.dynamodb.get_item(TableName=self.stack.table_name, Key=_marshalled(key))
        return unmarshal(found["Item"])

    def put(self, item: Item) -> None:
        self.stack.dynamodb.put_item(TableName=self.stack.table_name, Item=marshal(item))

    def lose(self, key: Key) -> None:
        self.stack.dynamodb.delete_item(TableName=self.stack.table_name, Key=_marshalled(key))

    def head(self) -> Item:
        return self.item(rank_keys.points_head(self.game.campaign_id, "all"))

    def node(self, *digits: int) -> Key:
        generation = self.head()["generation"]
        return rank_keys.points_node(self.game.campaign_id, "all", generation, digits)

    def counted(self, user_id: str) -> Key:
        generation = self.head()["generation"]
        return rank_keys.points_counted(self.game.campaign_id, "all", generation, user_id)

    def rewrite(self, item: Item, change: Callable[[Boards], object], name: str) -> None:
        boards = decode(item[name])
        change(boards)
        self.put({**item, name: encode(boards)})


def _marshalled(key: Key) -> dict[str, dict[str, str]]:
    return {"partition": {"S": key.partition}, "sort": {"S": key.sort}}


@pytest.fixture(autouse=True)
def quick(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fewer partitions to look through, several pages of players, and no wait for an index that
    never lags here. What others have left in the stream of their stack is worked off before, and
    what is left here within."""
    stack.drain()
    monkeypatch.setattr(rank_keys, "RANK_SHARDS", 2)
    monkeypatch.setattr(points, "_AT_ONCE", 30)
    monkeypatch.setattr(points, "PATIENCE_SECONDS", 0)
    yield
    stack.drain()


# Fifty points are six bits, and with a purchase 150 are eight.
FIFTY, MORE = (6, 18), (8, 22)


def wrong_place(played: Played) -> str:
    key = played.counted("user-03")
    wrong = Counted(99, 10**17)
    played.put({**played.item(key), "content": encode(wrong.boards())})
    return "user-03: version 99 at 100000000000000000, should be version 1"


def unreadable_place(played: Played) -> str:
    played.put({**played.item(played.counted("user-03")), "content": b"\x01"})
    return "user-03: what was counted could not be read"


def lost_place(played: Played) -> str:
    played.lose(played.counted("user-03"))
    return "player user-03: was not counted, not 1"


def wrong_inner_node(played: Played) -> str:
    def change(boards: Boards) -> None:
        [digit] = boards[CHILDREN]
        boards[CHILDREN][digit] += 1

    played.rewrite(played.item(played.node(6)), change, "content")
    return "node (6,)"


def wrong_bucket(played: Played) -> str:
    played.rewrite(
        played.item(played.node(8)), lambda boards: boards[MEMBERS].update({10**17: 1}), "content"
    )
    return "node (8,)"


def lost_node(played: Played) -> str:
    played.lose(played.node(6))
    return "node (6,)"


def part_of_another_batch(played: Played) -> str:
    item = played.item(played.node(8))
    played.put({**item, "version": item["version"] + 40})
    return "NODE#8 could not be read"


def wrong_root(played: Played) -> str:
    played.rewrite(played.head(), lambda boards: boards[CHILDREN].update({12: 3}), "root")
    return "the root"


def lost_head(played: Played) -> str:
    played.lose(rank_keys.points_head(played.game.campaign_id, "all"))
    return "the head was missing"


def lost_record(played: Played) -> str:
    played.game.event("user-05", "purchase", {"amount": 20})
    played.stack.take_records(PROJECT)
    return "player user-05: version 1 was counted, not 2"


def lost_newcomer(played: Played) -> str:
    played.game.event("late", "signup")
    played.stack.take_records(PROJECT)
    return "player late: was not counted, not 1"


DAMAGE = [
    wrong_place,
    unreadable_place,
    lost_place,
    wrong_inner_node,
    wrong_bucket,
    lost_node,
    part_of_another_batch,
    wrong_root,
    lost_head,
    lost_record,
    lost_newcomer,
]


@pytest.fixture
def played(stack: Stack) -> Played:
    return Played.begin(stack)


@pytest.mark.one_engine
def test_all_damage_is_named_and_repaired(played: Played) -> None:
    for damage in DAMAGE:
        named = damage(played)

        report = played.rebuild()

        assert any(named in line for line in report), (named, report)
        played.check_index()
    assert played.rebuild() == []


def test_nothing_is_found_where_nothing_is_wrong(played: Played) -> None:
    assert played.rebuild() == []
    played.check()
    # And the new generation is kept by the stream like the one before.
    played.game.event("user-05", "purchase", {"amount": 20})
    played.game.event("new", "signup")
    played.check()


def test_a_player_that_cannot_be_counted_is_told_and_left_out(fresh_stack: Stack) -> None:
    played = Played.begin(fresh_stack)
    item = played.item(played.players()[5].key)
    played.put({**item, "reachedAt": "never"})
    fresh_stack.take_records(PROJECT)

    report = played.rebuild()

    assert any(f"player {item['userId']} cannot be counted" in line for line in report)


@pytest.mark.one_engine
def test_a_newcomer_whom_the_list_of_players_shows_late_is_not_left_out(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream had brought it into the old generation."""
    times = itertools.count(1)

    def late(campaign_id: str, limit: int, *, descending: bool) -> Iterator[list[Ranked]]:
        is_late = next(times) < 4
        for page in every_player(campaign_id, limit, descending=descending):
            yield [one for one in page if one.user_id != "late" or not is_late]

    played.game.event("late", "signup")
    played.stack.drain()
    monkeypatch.setattr(points, "PATIENCE_SECONDS", 10)
    monkeypatch.setattr(points, "every_player", late)

    assert played.rebuild() == []

    assert next(times) == 5
    monkeypatch.undo()
    played.check_index()


@pytest.mark.one_engine
def test_what_old_generations_have_left_is_cleared_when_nobody_reads_it(
    fresh_stack: Stack,
) -> None:
    played = Played.begin(fresh_stack)
    played.rebuild()
    played.rebuild()
    before = _generations(played)

    fresh_stack.advance(MINUTE_MS)
    played.rebuild()

    assert before == {1, 2, 3}
    assert _generations(played) == {3, 4}


def _generations(played: Played) -> set[int]:
    return {int(item["generation"]) for item in played.own() if item["type"].startswith("Points")}


class Traffic:
    """Somebody comes, somebody gets points, and another one's are taken back."""

    def __init__(self, played: Played) -> None:
        self.played, self.numbers = played, itertools.count(100)

    def go_on(self) -> None:
        game, number = self.played.game, next(self.numbers)
        game.event(f"user-{number}", "signup")
        game.event("user-07", "purchase", {"amount": 20})
        project(self.played.stack)
        [*_, last] = game.ledger("user-07")
        game.call("POST", f"events/{last.event_id}/reverse", {"userId": "user-07"})
        project(self.played.stack)


@pytest.mark.one_engine
def test_changes_after_any_call_of_a_rebuild_are_counted(fresh_stack: Stack) -> None:
    played = Played.begin(fresh_stack)
    traffic = Traffic(played)
    for calls in itertools.count(1, 31):
        with interrupted(
            fresh_stack, REBUILD, calls, traffic.go_on, for_certain=False
        ) as interruption:
            played.rebuild()

        played.check_index()
        if not interruption.happened:
            break
        fresh_stack.advance(MINUTE_MS)
    assert calls > 30


@pytest.mark.one_engine
def test_a_rebuild_that_died_after_any_call_is_repaired_by_the_next(fresh_stack: Stack) -> None:
    played = Played.begin(fresh_stack)
    traffic = Traffic(played)
    for calls in itertools.count(1, 31):
        order = KillOrder(calls)
        with suppress(Killed):
            played.rebuild(order)
        if not order.happened:
            break
        traffic.go_on()
        played.rebuild()

        played.check_index()
        fresh_stack.advance(MINUTE_MS)
    assert calls > 30


@pytest.mark.one_engine
def test_a_projection_that_a_whole_rebuild_overtakes_counts_once(fresh_stack: Stack) -> None:
    """After each of its calls: what it has read is of generations that count no longer."""
    played = Played.begin(fresh_stack)
    for calls in itertools.count(1, 4):
        played.game.event("user-07", "purchase", {"amount": 20})
        played.game.event(f"user-{100 + calls}", "signup")

        with interrupted(
            fresh_stack, PROJECT, calls, played.rebuild, for_certain=False
        ) as overtaken:
            project(fresh_stack)

        played.check_index()
        if not overtaken.happened:
            break
    assert calls > 4
