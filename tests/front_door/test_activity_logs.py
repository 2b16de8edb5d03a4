"""Activity logs: what is told, in which order, once, and until when."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from grapevine.table import keys
from local.stack import InvocationFailed, Stack
from tests import visitors
from tests.api import Api, Json
from tests.invariants import of_type, table_of
from tests.refusals import refusal
from tests.scenarios import DAY_MS, advance, drain, erase, invited

RELAY = "RelayChangesFunction"


@dataclass(frozen=True, slots=True)
class Story:
    """A campaign in which everything has happened that is told."""

    stack: Stack
    api: Api
    campaign_id: str
    referrer: str
    friend: str
    late: str
    reward: str

    def log(self, participant: str, **query: int) -> Json:
        path = f"/v2/campaign/{self.campaign_id}/participant/{participant}/activity-logs"
        return self.api.ok("GET", path, params={"limit": 100, **query})

    def told(self, participant: str) -> list[tuple[str, str]]:
        """Oldest first."""
        lines = self.log(participant)["activityLogs"][::-1]
        return [(line["type"], line["text"]) for line in lines]

    def expected(self) -> dict[str, list[tuple[str, str]]]:
        referrer, friend, late, reward = self.referrer, self.friend, self.late, self.reward
        return {
            referrer: [
                ("COMMON", "Joined."),
                ("REFERRAL", f"Referred participant {friend}."),
                ("REFERRAL", f"Got a referral credit for participant {friend}."),
                ("REWARD", f"Earned reward {reward}."),
                ("EMAIL", "Invited somebody by e-mail."),
                ("SHARE", "Shared by email, share number 1."),
                ("SHARE", "Shared by facebook, share number 2."),
                ("REWARD", f"Reward {reward} was approved."),
                ("REWARD", f"Reward {reward} was fulfilled."),
                ("REFERRAL", f"Referred participant {late}."),
                ("REFERRAL", f"The referral of participant {late} expired."),
                ("REFERRAL", f"The referral of participant {late} is open again."),
            ],
            friend: [
                ("COMMON", "Joined."),
                ("REFERRAL", f"Was referred by participant {referrer}."),
                ("REFERRAL", f"Earned participant {referrer} a referral credit."),
            ],
            late: [
                ("COMMON", "Joined."),
                ("REFERRAL", f"Was referred by participant {referrer}."),
                ("REFERRAL", f"The referral by participant {referrer} expired."),
                ("REFERRAL", f"The referral by participant {referrer} is open again."),
            ],
        }


def tell(stack: Stack, api: Api) -> Story:
    campaign_id = api.campaign(
        installation={"shareUrl": visitors.ORIGIN},
        options={"referralCreditWindowDays": 1, "requireManualRewardApproval": True},
    )
    path = f"/v2/campaign/{campaign_id}"
    api.ok("POST", f"{path}/reward-configs", {"type": "SINGLE_SIDED", "isUnlimited": True})
    referrer = api.add(campaign_id, firstName="Gavin")["id"]
    friend = api.add(campaign_id, firstName="Jared", referredBy=referrer)["id"]
    api.trigger(campaign_id, friend)
    [reward] = api.read(campaign_id, referrer)["rewards"]
    advance(api, 1000)
    invited(stack, campaign_id, referrer, "richard@example.com")
    visitors.view(api, campaign_id, referrer)
    visitors.share(api, campaign_id, referrer)
    advance(api, 1000)
    visitors.view(api, campaign_id, referrer)
    visitors.share(api, campaign_id, referrer, channel="facebook")
    visitors.view(api, campaign_id, referrer)
    advance(api, 1000)
    api.ok("POST", f"{path}/reward/{reward['id']}/approve")
    advance(api, 1000)
    api.ok("POST", f"{path}/reward/{reward['id']}/fulfill")
    advance(api, 1000)
    late = api.add(campaign_id)["id"]
    advance(api, 1000)
    api.update(campaign_id, late, referredBy=referrer, email="late@example.com")
    advance(api, 1000)
    api.update(campaign_id, late, referralStatus="CREDIT_EXPIRED", notes="too late")
    advance(api, 1000)
    api.update(campaign_id, late, referralStatus="CREDIT_PENDING")
    api.update(campaign_id, late, firstName="Nelson")
    return Story(stack, api, campaign_id, referrer, friend, late, reward["id"])


@pytest.fixture
def story(fresh_stack: Stack) -> Iterator[Story]:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        yield tell(fresh_stack, api)


def test_everything_that_happens_to_a_participant_is_told(story: Story) -> None:
    drain(story.api)

    for participant, lines in story.expected().items():
        assert story.told(participant) == lines


@pytest.mark.parametrize(
    ("options", "ending"),
    [({}, ", approved"), ({"autoFulfillRewards": True}, ", approved and fulfilled")],
)
def test_a_reward_that_needs_no_approval_is_one_line(api: Api, options: Json, ending: str) -> None:
    campaign_id = api.campaign(options=options)
    path = f"/v2/campaign/{campaign_id}"
    api.ok("POST", f"{path}/reward-configs", {"type": "SINGLE_SIDED", "isUnlimited": True})
    referrer = api.add(campaign_id)["id"]
    api.trigger(campaign_id, api.add(campaign_id, referredBy=referrer)["id"])
    [reward] = api.read(campaign_id, referrer)["rewards"]
    drain(api)

    log = api.ok("GET", f"{path}/participant/{referrer}/activity-logs")["activityLogs"]

    said = [line["text"] for line in log if line["type"] == "REWARD"]
    assert said == [f"Earned reward {reward['id']}{ending}."]


def test_records_that_come_in_pieces_in_any_order_and_twice_make_the_same_logs(
    story: Story,
) -> None:
    chance = random.Random(7)  # noqa: S311 - an order
    records = story.stack.take_records(RELAY)

    for _ in range(3):
        chance.shuffle(records)
        for start in range(0, len(records), 4):
            answer = story.stack.deliver(RELAY, records[start : start + 4])
            assert answer == {"batchItemFailures": []}

    for participant, lines in story.expected().items():
        assert story.told(participant) == lines


def test_a_relay_that_dies_anywhere_tells_all_in_the_end(story: Story) -> None:
    records = story.stack.take_records(RELAY)

    died = 0
    for calls in range(6):
        with story.stack.kill_after(calls, RELAY) as order, suppress(InvocationFailed):
            story.stack.deliver(RELAY, records)
        died += order.happened
    assert died >= 3
    story.stack.deliver(RELAY, records)

    for participant, lines in story.expected().items():
        assert story.told(participant) == lines


@pytest.mark.parametrize("kind", ["Referral", "Invite"])
def test_a_poison_record_ends_in_the_failure_queue_and_holds_nobody_up(
    fresh_stack: Stack, kind: str
) -> None:
    poison = keys.referral("poison", "poison", "poison")
    fresh_stack.dynamodb.put_item(
        TableName=fresh_stack.table_name,
        Item={
            "partition": {"S": poison.partition},
            "sort": {"S": poison.sort},
            "type": {"S": kind},
            "campaignId": {"S": "poison"},
        },
    )
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        story = tell(fresh_stack, api)

        drain(api)

        [message] = fresh_stack.queue_messages("StreamFailureQueue")
        function = fresh_stack.declared.functions[RELAY]
        failure = json.loads(message.body)
        assert failure["requestContext"]["functionArn"] == function.arn
        assert failure["DDBStreamBatchInfo"]["batchSize"] == 1
        for participant, lines in story.expected().items():
            assert story.told(participant) == lines


def test_what_is_told_never_comes_back_to_the_relay(story: Story) -> None:
    drain(story.api)

    mapping = next(m for m in story.stack.declared.stream_mappings if m.function_id == RELAY)
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": {"type": {"S": "Activity"}}}}
    assert not mapping.filters(record)
    assert of_type(table_of(story.stack).values(), "Activity")


def test_pages_of_a_log_make_up_the_whole_newest_first(story: Story) -> None:
    drain(story.api)
    whole = story.log(story.referrer)["activityLogs"]

    lines: list[Json] = []
    offset: int | None = 0
    while offset is not None:
        page = story.log(story.referrer, limit=5, offset=offset)
        lines += page["activityLogs"]
        offset = page["offset"]
        assert page["limit"] == 5

    assert lines == whole
    assert [line["createdAt"] for line in lines] == sorted(
        (line["createdAt"] for line in lines), reverse=True
    )
    assert len(whole) == len(story.expected()[story.referrer])


def test_a_page_has_twenty_by_default_and_says_where_the_next_begins(api: Api) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)
    for _ in range(20):
        api.add(campaign_id, referredBy=referrer["id"])
    drain(api)
    path = f"/v2/campaign/{campaign_id}/participant/{referrer['email']}/activity-logs"

    first = api.ok("GET", path)
    second = api.ok("GET", path, params={"offset": first["offset"]})

    assert (len(first["activityLogs"]), first["limit"], first["offset"]) == (20, 20, 20)
    assert [line["text"] for line in second["activityLogs"]] == ["Joined."]
    assert second["offset"] is None


def test_a_log_holds_no_address_and_no_name(story: Story) -> None:
    drain(story.api)

    lines = of_type(table_of(story.stack).values(), "Activity")

    said = json.dumps([[str(value) for value in line.values()] for line in lines])
    assert not any(word in said for word in ("@", "Gavin", "Jared", "Nelson", "richard"))


def test_a_deleted_participant_has_no_log_left_and_late_records_make_none(story: Story) -> None:
    records = story.stack.take_records(RELAY)
    story.stack.deliver(RELAY, records)

    story.api.delete(story.campaign_id, story.referrer)
    erase(story.api)
    story.stack.deliver(RELAY, records)
    drain(story.api)

    lines = of_type(table_of(story.stack).values(), "Activity")
    assert {line["participantId"] for line in lines} == {story.friend, story.late}


def test_a_line_goes_away_after_two_years(story: Story) -> None:
    drain(story.api)

    for line in of_type(table_of(story.stack).values(), "Activity"):
        assert line["expiresAt"] == (line["at"] + 730 * DAY_MS) // 1000


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "101"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "10001"}, "offset"),
        ({"offset": "x"}, "offset"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_detail(api: Api, query: Json, param: str) -> None:
    campaign_id = api.campaign()
    path = f"/v2/campaign/{campaign_id}/participant/{api.add(campaign_id)['id']}/activity-logs"

    [detail] = refusal(api.call("GET", path, params=query), 400)["errors"]

    assert (detail["location"], detail["param"]) == ("query", param)


def test_an_unknown_participant_has_no_log(api: Api) -> None:
    path = f"/v2/campaign/{api.campaign()}/participant/nobody/activity-logs"

    refusal(api.call("GET", path), 400)
