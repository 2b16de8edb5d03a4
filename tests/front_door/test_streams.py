"""The stream as AWS may deliver it: twice, in pieces, in any order, with a poison record."""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from grapevine.table import keys
from local.stack import Stack
from tests import invariants, visitors
from tests.api import Api
from tests.scenarios import at_once, friends_of, interrupted

pytestmark = pytest.mark.both_engines

PROJECT = "ProjectStandingsFunction"
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A campaign to which everything has happened that changes totals, and what they should be."""

    stack: Stack
    api: Api
    campaign_id: str
    participants: int = 4
    referrals: int = 2
    impressions: int = 4

    def deliver(self, records: list[Record]) -> None:
        assert self.stack.deliver(PROJECT, records) == {"batchItemFailures": []}

    def check(self) -> None:
        """The totals are right, and the stream has nothing more to say."""
        self.stack.drain()
        shown = self.api.read_campaign(self.campaign_id)
        assert shown["participantCount"] == self.participants
        assert shown["referralCount"] == self.referrals
        assert shown["impressionCount"] == self.impressions
        invariants.check(self.stack)


def tell(stack: Stack, api: Api) -> Told:
    campaign_id = api.campaign(installation={"shareUrl": visitors.ORIGIN})
    referrer, deleted_referrer = (api.add(campaign_id)["id"] for _ in range(2))
    friends = friends_of(stack, campaign_id, referrer, 3)
    other = friends_of(stack, campaign_id, deleted_referrer, 1)
    for friend in [*friends, *other]:
        api.trigger(campaign_id, friend)
    for seen in (referrer, referrer, friends[0], friends[1], referrer, deleted_referrer):
        visitors.view(api, campaign_id, seen)
    visitors.share(api, campaign_id, friends[2])
    api.delete(campaign_id, friends[0])
    api.delete(campaign_id, deleted_referrer)
    return Told(stack, api, campaign_id)


@pytest.fixture
def told(fresh_stack: Stack) -> Iterator[Told]:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        yield tell(fresh_stack, api)


def _by_participant(records: list[Record]) -> list[list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[record["dynamodb"]["Keys"]["partition"]["S"]].append(record)
    return list(found.values())


def test_a_batch_delivered_twice_counts_once(told: Told) -> None:
    told.stack.drain()

    told.stack.redeliver(PROJECT)
    told.stack.redeliver(PROJECT)

    told.check()


def test_a_batch_cut_in_halves_after_a_failure_counts_once(told: Told) -> None:
    with told.stack.kill_after(2, PROJECT) as order:
        told.stack.drain()

    assert order.happened
    told.check()


def test_a_batch_cut_at_any_place_counts_the_same(told: Told) -> None:
    records = told.stack.take_records(PROJECT)

    for size in (3, 2, 1):
        for start in range(0, len(records), size):
            told.deliver(records[start : start + size])

    told.check()


def test_participants_overtaking_each_other_change_nothing(told: Told) -> None:
    each = _by_participant(told.stack.take_records(PROJECT))

    for records in reversed(each):
        told.deliver(records)

    told.check()


def test_the_participants_of_one_batch_may_come_in_any_order(told: Told) -> None:
    each = _by_participant(told.stack.take_records(PROJECT))

    taking_turns = itertools.zip_longest(*reversed(each))
    told.deliver([record for turn in taking_turns for record in turn if record])

    told.check()


def test_old_versions_after_newer_ones_add_nothing(told: Told) -> None:
    records = told.stack.take_records(PROJECT)
    told.deliver(records)

    for record in reversed(records):
        told.deliver([record])

    told.check()


@pytest.mark.parametrize("seed", range(6))
def test_any_delivery_at_least_once_counts_exactly_once(told: Told, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - chosen orders, no secrets
    records = told.stack.take_records(PROJECT)
    deliveries = [*records, *chance.choices(records, k=len(records))]
    chance.shuffle(deliveries)

    while deliveries:
        size = chance.randint(1, 8)
        batch, deliveries = deliveries[:size], deliveries[size:]
        told.deliver(batch)

    told.check()


def test_workers_with_the_same_batch_at_the_same_time_count_it_once(told: Told) -> None:
    records = told.stack.take_records(PROJECT)

    at_once(told.stack, [lambda _: told.deliver(records)] * 6)

    told.check()


@pytest.mark.parametrize("after_calls", [1, 2])
def test_a_worker_overtaken_by_another_with_the_same_batch_adds_nothing(
    told: Told, after_calls: int
) -> None:
    records = told.stack.take_records(PROJECT)

    with interrupted(told.stack, PROJECT, after_calls, lambda: told.deliver(records)):
        told.deliver(records)

    told.check()


def test_a_worker_overtaken_by_another_with_newer_versions_adds_the_rest(told: Told) -> None:
    records = told.stack.take_records(PROJECT)
    half = len(records) // 2

    with interrupted(told.stack, PROJECT, 1, lambda: told.deliver(records[half:])):
        told.deliver(records[:half])

    told.check()


def test_a_batch_may_hold_many_participants_of_several_campaigns(told: Told) -> None:
    campaign_id = told.api.campaign()
    referrer = told.api.add(campaign_id)["id"]
    friends_of(told.stack, campaign_id, referrer, 60)

    told.deliver(told.stack.take_records(PROJECT))

    assert told.api.read_campaign(campaign_id)["participantCount"] == 61
    told.check()


def test_a_tombstone_that_expires_takes_nothing_from_the_totals(told: Told) -> None:
    told.stack.drain()
    table = invariants.table_of(told.stack)
    expired = [
        key
        for key, item in table.items()
        if "expiresAt" in item and item["type"] in {"Standing", "Impressions", "Counted"}
    ]
    assert {key.sort for key in expired} == {"STANDING", "IMPRESSIONS", "COUNTED#IMPRESSIONS"}

    for key in expired:
        told.stack.dynamodb.delete_item(TableName=told.stack.table_name, Key=_attributes(key))
    told.stack.drain()

    shown = told.api.read_campaign(told.campaign_id)
    assert (shown["participantCount"], shown["referralCount"]) == (4, 2)
    assert shown["impressionCount"] == 4


def _attributes(key: keys.Key) -> dict[str, dict[str, str]]:
    return {"partition": {"S": key.partition}, "sort": {"S": key.sort}}


@pytest.mark.parametrize("stories_before", [0, 1])
@pytest.mark.parametrize("stories_after", [0, 1])
def test_a_poison_record_ends_in_the_failure_queue_and_holds_nobody_up(
    fresh_stack: Stack, stories_before: int, stories_after: int
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        stories = [tell(fresh_stack, api) for _ in range(stories_before)]
        poison = keys.standing("poison", "poison")
        fresh_stack.dynamodb.put_item(
            TableName=fresh_stack.table_name,
            Item={**_attributes(poison), "type": {"S": "Standing"}, "version": {"S": "none"}},
        )
        stories += [tell(fresh_stack, api) for _ in range(stories_after)]

        fresh_stack.drain()

        [message] = fresh_stack.queue_messages("StreamFailureQueue")
        failure = json.loads(message.body)
        function = fresh_stack.declared.functions[PROJECT]
        assert failure["requestContext"]["functionArn"] == function.arn
        assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
        assert failure["requestContext"]["approximateInvokeCount"] == 6
        batch = failure["DDBStreamBatchInfo"]
        assert batch["batchSize"] == 1
        assert batch["startSequenceNumber"] == batch["endSequenceNumber"]
        fresh_stack.dynamodb.delete_item(TableName=fresh_stack.table_name, Key=_attributes(poison))
        for each in stories:
            each.check()


def test_what_the_projection_writes_never_comes_back_to_it(told: Told) -> None:
    records = told.stack.take_records(PROJECT)
    before = invariants.table_of(told.stack)
    told.deliver(records)
    after = invariants.table_of(told.stack)

    written = {item["type"] for key, item in after.items() if before.get(key) != item}

    assert written == {"RankHead", "RankJournal", "RankBlock", "Totals", "Counted"}
    assert told.stack.take_records(PROJECT) == []
    mappings = {each.function_id: each for each in told.stack.declared.stream_mappings}
    for mapping in mappings.values():
        for kind in written:
            assert not mapping.filters({"dynamodb": {"NewImage": {"type": {"S": kind}}}})
    assert mappings[PROJECT].filters(records[0])
