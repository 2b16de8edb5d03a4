"""A campaign's projections made anew: whatever was damaged is found and right again."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from grapevine import runtime
from grapevine.engine.ranks.boards import ALIVE, ALL_TIME, VERSIONS, Boards
from grapevine.engine.ranks.codec import decode, encode
from grapevine.engine.rebuild import generations, standings
from grapevine.engine.rebuild.campaign import rebuild
from grapevine.errors import NotFound
from grapevine.table import keys, rank_keys, store
from grapevine.table.attributes import marshal, unmarshal
from grapevine.table.keys import Key
from grapevine.table.writes import Add
from local import invocation
from local.invocation import Invocation, Killed, KillOrder
from local.stack import Stack
from tests import invariants, visitors
from tests.api import Api
from tests.conftest import TEMPLATE
from tests.reward_stories import Program
from tests.scenarios import MINUTE_MS, advance, drain, interrupted, project

Item = dict[str, Any]

REBUILD = "rebuild"
PROJECT = "ProjectStandingsFunction"
SECOND_BLOCK, SECOND_NODE = 1500, 262_144 + 1100


@dataclass(frozen=True, slots=True)
class Town:
    """A campaign whose few participants lie far apart in join order, so that the index has all its
    kinds of items; `winner` has three credits and a reward."""

    program: Program
    winner: str
    second: str
    last: str

    @property
    def id(self) -> str:
        return self.program.id

    @property
    def stack(self) -> Stack:
        return self.program.stack

    def rebuild(self, order: KillOrder | None = None) -> list[str]:
        """The lines of the report."""
        clients = {"dynamodb": self.stack._clients["dynamodb"]}
        own = replace(self.stack.runtime(), client=clients.__getitem__)
        with invocation.within(Invocation(REBUILD, order)), runtime.using(own):
            return rebuild(self.id, lambda *_: None).lines()

    def check(self) -> None:
        """Everything is right, and a rebuild finds nothing."""
        self.stack.drain()
        invariants.check(self.stack, dense=False, rebuilt=True)
        assert self.rebuild() == []

    # Past the API

    def item(self, key: Key) -> Item:
        found = self.stack.dynamodb.get_item(
            TableName=self.stack.table_name,
            Key=marshal({"partition": key.partition, "sort": key.sort}),
        )
        return unmarshal(found["Item"])

    def put(self, item: Item) -> None:
        self.stack.dynamodb.put_item(TableName=self.stack.table_name, Item=marshal(item))

    def lose(self, key: Key) -> None:
        self.stack.dynamodb.delete_item(
            TableName=self.stack.table_name,
            Key=marshal({"partition": key.partition, "sort": key.sort}),
        )

    def part(self, type_name: str, **named: int) -> Item:
        """The item of the index that counts."""
        head = self.item(rank_keys.rank_head(self.id))
        [found] = [
            item
            for item in invariants.of_type(invariants.table_of(self.stack).values(), type_name)
            if item["campaignId"] == self.id and item["generation"] == head["generation"]
            if all(item[name] == value for name, value in named.items())
        ]
        return self.item(Key(found["partition"], found["sort"]))

    def lose_part(self, type_name: str, **named: int) -> None:
        item = self.part(type_name, **named)
        self.lose(Key(item["partition"], item["sort"]))

    def rewrite(self, item: Item, change: Callable[[Boards], object], name: str) -> None:
        boards = decode(item[name])
        change(boards)
        self.put({**item, name: encode(boards)})

    def lose_records(self) -> None:
        """What the stream says is never projected."""
        self.stack.take_records(PROJECT)


def skip_to(stack: Stack, campaign_id: str, sequence: int) -> None:
    stack.dynamodb.update_item(
        TableName=stack.table_name,
        Key=marshal(dict(zip(("partition", "sort"), keys.join_sequence(campaign_id), strict=True))),
        UpdateExpression="SET joinSequence = :n",
        ExpressionAttributeValues=marshal({":n": sequence}),
    )


def build_town(stack: Stack, api: Api) -> Town:
    program = Program.begin(
        stack,
        api,
        options={"requireManualRewardApproval": False},
        installation={"shareUrl": f"{visitors.ORIGIN}/join"},
    )
    program.offer("SINGLE_SIDED")
    winner, gone = program.join(), program.join()
    program.credit(winner, 2)
    skip_to(stack, program.id, SECOND_BLOCK)
    second = program.join()
    program.credit(second, 1)
    skip_to(stack, program.id, SECOND_NODE)
    last = program.join()
    program.credit(last, 1)
    program.credit(winner, 1)
    for seen in (winner, winner, last, gone):
        visitors.view(api, program.id, seen)
    api.delete(program.id, gone)
    drain(api)
    return Town(program, winner, second, last)


@pytest.fixture(autouse=True)
def quick(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fewer partitions to look through, and no wait for an index that never lags here. What others
    have left in the stream of their stack is worked off before, and what is left here within."""
    stack.drain()
    monkeypatch.setattr(rank_keys, "RANK_SHARDS", 2)
    monkeypatch.setattr(standings, "PATIENCE_SECONDS", 0)
    yield
    stack.drain()


@pytest.fixture
def town(stack: Stack, api: Api) -> Town:
    return build_town(stack, api)


@pytest.fixture
def own_town(fresh_stack: Stack) -> Iterator[Town]:
    """The same in a table of its own, whose clock may be moved."""
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        yield build_town(fresh_stack, api)


# Damage: what is done, and what the report must name


def _sequence(town: Town, id_: str) -> int:
    found: int = town.item(keys.standing(town.id, id_))["joinSequence"]
    return found


def wrong_block_entry(town: Town) -> str:
    offset = _sequence(town, town.winner)
    town.rewrite(
        town.part("RankBlock", number=0), lambda all_: all_[ALL_TIME].update({offset: 7}), "content"
    )
    return f"{town.winner}: 7 referrals"


def version_of_the_future(town: Town) -> str:
    offset = _sequence(town, town.winner)
    town.rewrite(
        town.part("RankBlock", number=0),
        lambda all_: all_[VERSIONS].update({offset: 99}),
        "content",
    )
    return f"{town.winner}: version 99 was counted"


def somebody_counted_who_never_was(town: Town) -> str:
    town.rewrite(
        town.part("RankBlock", number=0), lambda all_: all_[ALIVE].update({900: 1}), "content"
    )
    return "joined as number 900"


def lost_block(town: Town) -> str:
    town.lose_part("RankBlock", number=1)
    return f"{town.second}: was not counted"


def unreadable_block(town: Town) -> str:
    town.put({**town.part("RankBlock", number=1), "content": b"\x01"})
    return "BLOCK#0000000001 could not be read"


def wrong_node(town: Town) -> str:
    town.rewrite(
        town.part("RankNode", score=0, level=1, number=0),
        lambda all_: all_[ALIVE].update({1: 5}),
        "content",
    )
    return "node 0 of level 1 for score 0"


def lost_node(town: Town) -> str:
    town.lose_part("RankNode", score=0, level=2, number=0)
    return "node 0 of level 2 for score 0"


def part_of_another_batch(town: Town) -> str:
    block = town.part("RankBlock", number=0)
    town.put({**block, "version": block["version"] + 40})
    return "BLOCK#0000000000 held batch"


def wrong_histograms(town: Town) -> str:
    head = town.item(rank_keys.rank_head(town.id))
    town.rewrite(head, lambda all_: all_[ALL_TIME].update({3: 4}), "histograms")
    return "the histograms in the head"


def lost_head(town: Town) -> str:
    town.lose(rank_keys.rank_head(town.id))
    return "the head was missing"


def wrong_total(town: Town) -> str:
    town.put({**town.item(keys.totals(town.id)), "winnerCount": 40})
    return "winnerCount: 40, should be 3"


def wrong_impressions(town: Town) -> str:
    town.put({**town.item(keys.totals(town.id)), "impressionCount": 40})
    return "impressionCount: 40, should be 3"


def wrong_invites(town: Town) -> str:
    town.put({**town.item(keys.totals(town.id)), "inviteCount": 40})
    return "inviteCount: 40, should be 0"


def lost_view(town: Town) -> str:
    visitors.view(town.program.api, town.id, town.second)
    town.lose_records()
    return f"Impressions of {town.second} had not been counted"


def lost_totals(town: Town) -> str:
    town.lose(keys.totals(town.id))
    return "winnerCount: 0, should be 3"


def _counted(town: Town) -> Key:
    return keys.counted(town.id, town.winner, "Earnings")


def wrong_record_of_the_totals(town: Town) -> str:
    town.put({**town.item(_counted(town)), "amounts": json.dumps({"winnerCount": 9})})
    return f"Earnings of {town.winner}: {{'winnerCount': 9}}"


def record_of_the_future(town: Town) -> str:
    town.put({**town.item(_counted(town)), "version": 77})
    return f"Earnings of {town.winner}: {{'winnerCount': 1}} of version 77"


def lost_record_of_the_totals(town: Town) -> str:
    town.lose(_counted(town))
    return f"Earnings of {town.winner} had not been counted"


def lost_credit(town: Town) -> str:
    town.program.credit(town.second, 1)
    town.lose_records()
    return f"{town.second}: version"


def lost_sign_up(town: Town) -> str:
    new = town.program.join()
    town.lose_records()
    return f"{new}: was not counted"


def lost_deletion(town: Town) -> str:
    sequence = _sequence(town, town.second)
    town.program.api.delete(town.id, town.second)
    town.lose_records()
    return f"joined as number {sequence}: 1 referrals"


def wrong_total_and_lost_records(town: Town) -> str:
    town.program.api.delete(town.id, town.last)
    town.program.credit(town.second, 1)
    town.lose_records()
    return wrong_total(town).replace("should be 3", "should be 2")


DAMAGE = [
    wrong_block_entry,
    version_of_the_future,
    somebody_counted_who_never_was,
    lost_block,
    unreadable_block,
    wrong_node,
    lost_node,
    part_of_another_batch,
    wrong_histograms,
    lost_head,
    wrong_total,
    wrong_impressions,
    wrong_invites,
    lost_view,
    lost_totals,
    wrong_record_of_the_totals,
    record_of_the_future,
    lost_record_of_the_totals,
    lost_credit,
    lost_sign_up,
    lost_deletion,
    wrong_total_and_lost_records,
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_named_and_repaired(town: Town, damage: Callable[[Town], str]) -> None:
    named = damage(town)

    report = town.rebuild()

    assert any(named in line for line in report), "\n".join(report)
    town.check()


def test_nothing_is_found_where_nothing_is_wrong(town: Town) -> None:
    assert town.rebuild() == []
    town.check()
    # And the new generation is kept by the stream like the one before.
    town.program.credit(town.second, 2)
    town.program.api.delete(town.id, town.last)
    town.check()


def test_an_unknown_campaign_is_refused(town: Town) -> None:
    with runtime.using(town.stack.runtime()):
        for campaign_id in ("nobody", "not#an#id"):
            with pytest.raises(NotFound):
                rebuild(campaign_id, lambda *_: None)


def test_a_standing_that_disagrees_with_its_referrals_is_told_and_left_as_it_is(
    own_town: Town,
) -> None:
    key = keys.standing(own_town.id, own_town.winner)
    wrong = {**own_town.item(key), "referralCount": 8, "year": [2000, 1]}
    own_town.put(wrong)
    drain(own_town.program.api)

    report = own_town.rebuild()

    assert f"  {own_town.winner}: its standing counts 8 referrals of all, there are 3" in report
    assert (
        f"  {own_town.winner}: its standing counts 1 referrals of year 2000, there are 0" in report
    )
    assert own_town.item(key) == wrong


def test_a_standing_that_cannot_be_counted_is_told(own_town: Town) -> None:
    own_town.put(
        {**own_town.item(keys.standing(own_town.id, own_town.winner)), "referralCount": "many"}
    )
    own_town.lose_records()

    report = own_town.rebuild()

    assert any(f"{own_town.winner}: its standing cannot be counted" in line for line in report)


# What is left of old generations


def _generations(town: Town) -> set[int]:
    items = invariants.table_of(town.stack).values()
    parts = [item for item in items if item["type"] in {"RankBlock", "RankNode", "RankJournal"}]
    return {int(item["generation"]) for item in parts}


def test_an_old_generation_stays_while_somebody_may_read_it(own_town: Town) -> None:
    own_town.rebuild()
    own_town.rebuild()
    before = _generations(own_town)

    advance(own_town.program.api, MINUTE_MS)
    own_town.rebuild()

    assert before == {1, 2, 3}
    assert _generations(own_town) == {3, 4}


# Traffic


@dataclass(slots=True)
class Traffic:
    """Every time the same happens, and it leaves as many participants as there were: a credit is
    given and taken back, and who has won something last time goes when somebody else wins."""

    town: Town
    last: list[str]

    @classmethod
    def begin(cls, town: Town) -> Traffic:
        return cls(town, [town.last])

    def go_on(self) -> None:
        api, stack, program = self.town.program.api, self.town.stack, self.town.program
        [friend] = program.credit(self.town.second, 1)
        winner = program.join()
        visitors.view(api, program.id, winner)
        project(stack)
        api.delete(program.id, friend)
        friends = program.credit(winner, 1)
        project(stack)
        for gone in self.last:
            api.delete(program.id, gone)
        project(stack)
        self.last = [winner, *friends]


def _damage(town: Town) -> None:
    town.put({**town.item(keys.totals(town.id)), "winnerCount": 40})
    head = town.item(rank_keys.rank_head(town.id))
    town.rewrite(head, lambda all_: all_[ALL_TIME].update({3: 4}), "histograms")


def test_changes_after_any_call_of_a_rebuild_are_counted_once(own_town: Town) -> None:
    traffic = Traffic.begin(own_town)
    for calls in itertools.count(1, 5):
        _damage(own_town)
        with interrupted(
            own_town.stack, REBUILD, calls, traffic.go_on, for_certain=False
        ) as interruption:
            own_town.rebuild()

        invariants.check(own_town.stack, dense=False)
        if not interruption.happened:
            break
        advance(own_town.program.api, MINUTE_MS)
    assert calls > 30


def test_a_rebuild_that_died_after_any_call_is_repaired_by_the_next(own_town: Town) -> None:
    traffic = Traffic.begin(own_town)
    for calls in itertools.count(0, 5):
        _damage(own_town)
        order = KillOrder(calls)
        with suppress(Killed):
            own_town.rebuild(order)
        if not order.happened:
            break
        traffic.go_on()

        own_town.rebuild()

        invariants.check(own_town.stack, dense=False)
        advance(own_town.program.api, MINUTE_MS)
    assert calls > 30


@pytest.mark.parametrize("with_another", [True, False])
def test_a_projection_that_a_whole_rebuild_overtakes_counts_once(
    own_town: Town, with_another: bool
) -> None:
    """After each of its calls: what it has read is of generations that count no longer. A winner is
    deleted; with another one in its place the differences cancel out."""
    traffic, stack = Traffic.begin(own_town), own_town.stack
    for calls in itertools.count(1):
        traffic.go_on()
        winner = traffic.last[0]
        own_town.program.credit(own_town.second, 1)
        if with_another:
            own_town.program.credit(own_town.program.join(), 1)
        own_town.program.api.delete(own_town.id, winner)
        traffic.last = []

        with interrupted(stack, PROJECT, calls, own_town.rebuild, for_certain=False) as overtaken:
            project(stack)

        invariants.check(stack, dense=False)
        if not overtaken.happened:
            break
    assert calls > 8


def test_a_batch_published_before_the_head_is_replaced_is_not_lost(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, times = generations.current, itertools.count(1)

    def late(campaign_id: str) -> generations.Current:
        found = read(campaign_id)
        if next(times) == 3:  # the one that the new head's condition is taken from
            town.program.credit(town.second, 1)
            project(town.stack)
        return found

    monkeypatch.setattr(generations, "current", late)
    town.rebuild()

    assert next(times) > 4
    town.check()


def test_an_item_that_changes_while_a_recount_reads_is_counted_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading of the record and the reading of the item."""
    read, told = store.get_many, list[bool]()
    either = {keys.earnings(town.id, town.winner), _counted(town)}

    def late(wanted: Iterable[Key]) -> dict[Key, Item]:
        asked = list(wanted)
        found = read(asked)
        if not told and either.intersection(asked):
            told.append(True)
            town.program.api.delete(town.id, town.winner)
            project(town.stack)
        return found

    monkeypatch.setattr(store, "get_many", late)
    town.rebuild()
    monkeypatch.undo()

    assert told
    town.check()


def test_a_record_counted_by_a_batch_while_a_recount_moves_it_is_counted_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recount has read an item; it changes; a batch reads the record as the recount has; the
    recount writes; the batch writes."""
    write, waiting = store.transact, list[Any]()

    def late(writes: Any) -> None:
        if not waiting and any(isinstance(each, Add) for each in writes):
            waiting.append(writes)
            town.program.api.delete(town.id, town.winner)
            project(town.stack)
        elif waiting == [None] or not is_counting(writes):
            write(writes)
        else:
            recount, waiting[:] = waiting[0], [None]
            write(recount)
            write(writes)

    def is_counting(writes: Any) -> bool:
        return any(getattr(each, "item", {}).get("type") == "Counted" for each in writes)

    monkeypatch.setattr(store, "transact", late)
    town.rebuild()
    monkeypatch.undo()

    assert waiting == [None]
    town.check()


@pytest.mark.parametrize("name", ["put", "change", "transact"])
def test_a_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    town: Town, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client sends it again by itself, and is told that its condition does not hold."""
    write, sent = getattr(store, name), set[str]()

    def twice(what: Any, *rest: Any) -> Any:
        answer = write(what, *rest)
        again = str(what["type"] if name == "put" else rest[:1])
        if again in sent or name == "transact":
            return answer
        sent.add(again)
        return write(what, *rest)

    _damage(town)
    monkeypatch.setattr(store, name, twice)
    town.rebuild()
    monkeypatch.undo()

    town.check()


def _visit(api: Api, town: Town, seed: int, stop: threading.Event) -> None:
    """Adds, credits and deletions until it is told to stop."""
    luck, own = random.Random(seed), list[str]()  # noqa: S311 - a story
    while not stop.is_set():
        if len(own) > 6:
            api.delete(town.id, own.pop(luck.randrange(len(own))))
        else:
            fields = {"referredBy": luck.choice([town.winner, town.second, *own])}
            own.append(api.add(town.id, **fields)["id"])
            # Others may just have deleted the referrer, or may be giving it a credit, too.
            api.call("POST", f"/v2/campaign/{town.id}/participant/{own[-1]}/ref", {})


def test_four_visitors_and_a_stream_do_not_disturb_it(engine: str) -> None:
    with (
        Stack(TEMPLATE, engine=engine, background=True) as stack,
        Api(stack.url, stack.api_key) as api,
        ExitStack() as clients,
        ThreadPoolExecutor(4) as pool,
    ):
        town, stop = build_town(stack, api), threading.Event()
        visitors = [clients.enter_context(Api(stack.url, stack.api_key)) for _ in range(4)]
        visits = [
            pool.submit(_visit, visitor, town, seed, stop) for seed, visitor in enumerate(visitors)
        ]
        try:
            for _ in range(3 if engine == "moto" else 10):
                _damage(town)
                town.rebuild()
        finally:
            stop.set()
        for visit in visits:
            visit.result()

        town.check()
