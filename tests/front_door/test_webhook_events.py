"""Which change of a campaign is which webhook event: each exactly once, whatever happens to the
stream, with the payload that the GrowSurf webhooks have."""

from __future__ import annotations

import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.engine.webhooks import relay
from grapevine.engine.webhooks.dispatch import FIRST_ATTEMPT_BY_MS
from grapevine.table import standings
from grapevine.table.standings import Place
from local.stack import InvocationFailed, Stack
from tests import reward_invariants
from tests.api import Api, Json, unique_email
from tests.reward_stories import (
    ALL_EVENTS,
    FULFILLING,
    MANUAL,
    Program,
    event_ids,
    received,
    stack_with_receivers,
)
from tests.scenarios import DAY_MS, MINUTE_MS, advance, drain, friends_of, leap

ADDED, GOAL, ENDED, FRAUD = ALL_EVENTS
RELAY = "RelayChangesFunction"
GOLDEN = Path(__file__).parent.parent / "golden" / "webhooks"


@pytest.fixture(scope="module")
def hooked(engine: str) -> Iterator[Stack]:
    with stack_with_receivers(engine) as stack:
        yield stack


@pytest.fixture
def fresh_hooked(engine: str) -> Iterator[Stack]:
    with stack_with_receivers(engine) as stack:
        yield stack


@dataclass(frozen=True, slots=True)
class Heard(Program):
    """A program whose events come to an inbox."""

    @classmethod
    def begin(
        cls, stack: Stack, api: Api, options: Json | None = None, installation: Json | None = None
    ) -> Heard:
        campaign_id = api.campaign(options=options, installation=installation)
        heard = cls(stack, api, campaign_id)
        heard.listen(campaign_id)
        return heard

    def news(self) -> list[Json]:
        """What has come since the last time, the earliest event first."""
        self.stack.drain()
        events = sorted(received(self.stack, self.id), key=lambda event: int(event["createdAt"]))
        self.stack.inboxes.empty(self.id)
        return events

    def names(self) -> list[str]:
        return [event["event"] for event in self.news()]


@pytest.fixture
def api(hooked: Stack) -> Iterator[Api]:
    with Api(hooked.url, hooked.api_key) as client:
        yield client


@pytest.fixture
def heard(hooked: Stack, api: Api) -> Heard:
    return Heard.begin(hooked, api)


@pytest.fixture
def alone(fresh_hooked: Stack) -> Iterator[Heard]:
    """One on a stack of its own, whose clock and stream may be moved."""
    with Api(fresh_hooked.url, fresh_hooked.api_key) as client:
        yield Heard.begin(fresh_hooked, client)


# --- Which change is which event ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class People:
    """A referrer, a friend whose credit is pending, and a reward that waits for approval or not."""

    heard: Heard
    referrer: str
    friend: str
    reward: str

    def post(self, path: str, **body: Any) -> Any:
        return self.heard.api.call("POST", f"{self.heard.path}{path}", body)

    def patch(self, path: str, **body: Any) -> Any:
        return self.heard.api.call("PATCH", f"{self.heard.path}{path}", body)

    def add(self, **fields: Any) -> Any:
        return self.post("/participant", email=unique_email(), **fields)

    def delete(self, path: str) -> Any:
        return self.heard.api.call("DELETE", f"{self.heard.path}{path}")

    def approve(self, **body: Any) -> Any:
        return self.post(f"/reward/{self.reward}/approve", **body)


Act = Callable[[People], object]


def _twice(act: Act) -> Act:
    return lambda people: (act(people), act(people))


def _trigger(people: People) -> object:
    return people.post(f"/participant/{people.friend}/ref")


def _end(people: People) -> object:
    return people.patch("", status="COMPLETE")


def _resume(people: People) -> object:
    return people.patch("", status="IN_PROGRESS")


MANUAL_ACTS: dict[str, tuple[Act, list[str]]] = {
    "a credit that is not approved yet": (_trigger, [GOAL, GOAL]),
    "an approval": (People.approve, [GOAL]),
    "an approval that fulfils": (lambda p: p.approve(fulfill=True), [GOAL]),
    "a second approval": (_twice(People.approve), [GOAL]),
    "a fulfilment": (
        lambda p: (p.approve(), p.heard.news(), p.post(f"/reward/{p.reward}/fulfill")),
        [],
    ),
    "a removed reward": (lambda p: p.delete(f"/reward/{p.reward}"), []),
    "a fulfilment that is refused": (lambda p: p.post(f"/reward/{p.reward}/fulfill"), []),
}
ACTS: dict[str, tuple[Act, list[str]]] = {
    "somebody joins": (People.add, [ADDED]),
    "a friend joins": (lambda p: p.add(referredBy=p.referrer), [ADDED]),
    "a credited friend joins": (
        lambda p: p.add(referredBy=p.referrer, referralStatus="CREDIT_AWARDED"),
        [ADDED, GOAL, GOAL],
    ),
    "somebody joins again": (
        lambda p: p.post("/participant", email="richard@example.com", firstName="Else"),
        [],
    ),
    "a credit": (_trigger, [GOAL, GOAL]),
    "a second trigger": (_twice(_trigger), [GOAL, GOAL]),
    "an award by update": (
        lambda p: p.post(f"/participant/{p.friend}", referralStatus="CREDIT_AWARDED"),
        [GOAL, GOAL],
    ),
    "a delayed trigger": (
        lambda p: p.post(f"/participant/{p.friend}/ref", delayInDays=1),
        [],
    ),
    "a participant changes": (
        lambda p: p.post(f"/participant/{p.friend}", firstName="Dinesh", metadata={"a1": 1}),
        [],
    ),
    "a participant leaves": (lambda p: p.delete(f"/participant/{p.friend}"), []),
    "the earner leaves": (lambda p: p.delete(f"/participant/{p.referrer}"), []),
    "an expired credit": (
        lambda p: p.post(f"/participant/{p.friend}", referralStatus="CREDIT_EXPIRED"),
        [],
    ),
    "a fulfilled reward": (lambda p: p.post(f"/reward/{p.reward}/fulfill"), []),
    "the end": (_end, [ENDED]),
    "the end, twice": (_twice(_end), [ENDED]),
    "the end and a change after it": (
        lambda p: (_end(p), p.heard.stack.drain(), p.patch("", name="Over")),
        [ENDED],
    ),
    "the end and an option after it": (
        lambda p: (_end(p), p.heard.stack.drain(), p.patch("/options", **FULFILLING)),
        [ENDED],
    ),
    "the end and a resumption": (lambda p: (_end(p), p.heard.stack.drain(), _resume(p)), [ENDED]),
    "two ends": (
        lambda p: (_end(p), p.heard.stack.drain(), _resume(p), _end(p)),
        [ENDED, ENDED],
    ),
    "an end that is taken back at once": (lambda p: (_end(p), _resume(p)), []),
    "a credit after the end": (
        lambda p: (_end(p), p.heard.news(), _trigger(p)),
        [],
    ),
    "a clone": (lambda p: p.post("/clone"), []),
    "a new reward": (lambda p: p.post("/reward-configs", type="MILESTONE"), []),
    "a renamed campaign": (lambda p: p.patch("", name="Renamed"), []),
}


def people_of(heard: Heard) -> People:
    heard.offer("DOUBLE_SIDED")
    referrer = heard.api.add(heard.id, "richard@example.com", firstName="Richard")["id"]
    heard.credit(referrer)
    [friend] = friends_of(heard.stack, heard.id, referrer, 1)
    [reward] = heard.earned(referrer)
    heard.news()
    return People(heard, referrer, friend, reward["id"])


@pytest.mark.parametrize("name", ACTS)
def test_a_change_is_told_as_its_events_and_no_others(heard: Heard, name: str) -> None:
    act, expected = ACTS[name]
    people = people_of(heard)

    act(people)

    assert Counter(heard.names()) == Counter(expected)
    assert heard.names() == []


@pytest.mark.parametrize("name", MANUAL_ACTS)
def test_a_change_under_manual_approval_is_told_as_its_events(
    hooked: Stack, api: Api, name: str
) -> None:
    heard = Heard.begin(hooked, api, options=MANUAL)
    act, expected = MANUAL_ACTS[name]
    people = people_of(heard)

    act(people)

    assert heard.names() == expected


def test_a_credit_that_unlocks_nothing_is_silent(heard: Heard) -> None:
    referrer = heard.join()
    heard.credit(referrer)

    assert heard.names() == [ADDED, ADDED]


def test_a_reward_that_is_fulfilled_at_once_is_told_once(hooked: Stack, api: Api) -> None:
    heard = Heard.begin(hooked, api, options=FULFILLING)
    heard.offer()
    heard.credit(heard.join())

    [told] = [event["data"]["reward"] for event in heard.news() if event["event"] == GOAL]

    assert told["approved"] is True
    assert told["approvedAt"] == told["fulfilledAt"] == told["createdAt"]


def test_a_delayed_credit_is_told_when_it_is_given(alone: Heard) -> None:
    people = people_of(alone)
    alone.api.trigger(alone.id, people.friend, delayInDays=1)
    assert alone.names() == []

    leap(alone.stack, alone.stack.now_ms() + DAY_MS)

    assert alone.names() == [GOAL, GOAL]


def test_an_upfront_reward_is_told_when_the_friend_joins(heard: Heard) -> None:
    heard.offer("DOUBLE_SIDED", referredRewardUpfront=True)
    referrer = heard.join()

    friend = heard.join(referredBy=referrer)

    [told] = [event["data"] for event in heard.news() if event["event"] == GOAL]
    assert told["participant"]["id"] == friend
    assert told["reward"]["isReferrer"] is False


# --- What the events say --------------------------------------------------------------------------


def test_manual_approval_tells_of_a_reward_unapproved_then_approved(
    hooked: Stack, api: Api
) -> None:
    heard = Heard.begin(hooked, api, options=MANUAL)
    heard.offer()
    referrer = heard.join()
    heard.credit(referrer)
    [reward] = heard.earned(referrer)
    heard.change("approve", reward["id"])

    goals = [event for event in heard.news() if event["event"] == GOAL]

    first, second = (event["data"]["reward"] for event in goals)
    assert (first["approved"], first["approvedAt"]) == (False, None)
    assert (second["approved"], second["approvedAt"] is not None) == (True, True)
    assert first["id"] == second["id"] == reward["id"]
    assert goals[0]["createdAt"] < goals[1]["createdAt"]


def test_both_sides_of_a_reward_are_told_with_the_other_side(heard: Heard) -> None:
    heard.offer(
        "DOUBLE_SIDED",
        title="Both",
        description="For you",
        referralDescription="For your friend",
        couponCode="YOU",
        referralCouponCode="FRIEND",
    )
    referrer = heard.join()
    [friend] = heard.credit(referrer)

    told = [event["data"] for event in heard.news() if event["event"] == GOAL]

    sides = {each["reward"]["isReferrer"]: each for each in told}
    yours, theirs = sides[True], sides[False]
    assert yours["participant"]["id"] == referrer
    assert yours["participant"]["referee"]["id"] == friend
    assert "referrer" not in yours["participant"]
    assert (yours["reward"]["description"], yours["reward"]["couponCode"]) == ("For you", "YOU")
    assert theirs["participant"]["id"] == friend
    assert theirs["participant"]["referrer"]["id"] == referrer
    assert theirs["participant"]["referredBy"] == referrer
    assert "referee" not in theirs["participant"]
    assert theirs["reward"]["description"] == "For your friend"
    assert theirs["reward"]["couponCode"] == "FRIEND"
    for each in told:
        assert (each["reward"]["referrerId"], each["reward"]["referredId"]) == (referrer, friend)
        assert each["reward"]["title"] == "Both"


def test_a_direct_participant_has_neither_referrer_nor_referred_by(heard: Heard) -> None:
    heard.join()

    [event] = heard.news()

    assert not {"referrer", "referredBy", "referee"} & set(event["data"])
    assert event["data"]["referralSource"] == "DIRECT"


def test_the_end_is_told_after_the_leaderboard_with_the_winners_by_rank(heard: Heard) -> None:
    heard.offer("LEADERBOARD", numberOfWinners=2)
    third, first, second = (heard.join() for _ in range(3))
    heard.credit(first, 2)
    heard.credit(second, 1)
    heard.news()

    heard.api.set_status(heard.id, "COMPLETE")
    assert heard.news() == []
    advance(heard.api, IN_FLIGHT_MS)
    events = {event["event"]: event["data"] for event in heard.news()}

    ended = events[ENDED]
    assert [winner["id"] for winner in ended["winners"]] == [first, second]
    assert [winner["rank"] for winner in ended["winners"]] == [1, 2]
    assert all(winner["isWinner"] for winner in ended["winners"])
    assert ended["winnerCount"] == 2
    assert (ended["participantCount"], ended["referralCount"]) == (6, 3)
    assert ended["status"] == "COMPLETE"
    assert third not in json.dumps(ended)


def test_only_who_has_an_approved_reward_is_a_winner_at_the_end(hooked: Stack, api: Api) -> None:
    heard = Heard.begin(hooked, api, options=MANUAL)
    heard.offer()
    approved, pending = heard.join(), heard.join()
    heard.credit(approved)
    heard.credit(pending)
    heard.change("approve", heard.earned(approved)[0]["id"])

    api.set_status(heard.id, "COMPLETE")

    ended = heard.news()[-1]["data"]
    assert [winner["id"] for winner in ended["winners"]] == [approved]
    assert ended["winnerCount"] == 1


def test_the_end_of_a_large_campaign_is_told_without_looking_at_everybody(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function has its time only, and most participants have neither referred nor won."""
    monkeypatch.setattr(relay, "_CANDIDATES_AT_ONCE", 2)
    monkeypatch.setattr(relay, "_LOOKED_THROUGH", 4)
    heard.offer("DOUBLE_SIDED", isUnlimited=False, limit=1)
    referrer = heard.join()
    [friend] = heard.credit(referrer)
    for _ in range(12):
        heard.join()
    heard.news()
    pages: list[int] = []
    places = standings.all_time_places

    def counted(campaign_id: str, *, limit: int, from_position: int | None = None) -> list[Place]:
        pages.append(limit)
        return places(campaign_id, limit=limit, from_position=from_position)

    monkeypatch.setattr(standings, "all_time_places", counted)

    heard.api.set_status(heard.id, "COMPLETE")

    ended = heard.news()[-1]["data"]
    assert [winner["id"] for winner in ended["winners"]] == [referrer, friend]
    assert (ended["winnerCount"], ended["participantCount"]) == (2, 14)
    assert pages == [2, 2]


# --- Payloads -------------------------------------------------------------------------------------

_PERSON = frozenset(
    {
        *("id", "email", "firstName", "lastName", "notes", "rank", "isWinner", "referralCount"),
        *("monthlyReferralCount", "shareUrl", "impressionCount", "uniqueImpressionCount"),
        *("inviteCount", "shareCount", "createdAt", "referralSource", "fraudRiskLevel", "metadata"),
    }
)
_WITH_LAST_MONTH = _PERSON | {"prevMonthlyReferralCount"}
_ENVELOPE = frozenset({"event", "createdAt", "data"})
# The keys of the examples in the seeds, by the place of the object they stand in.
SEED_KEYS: dict[str, dict[str, frozenset[str] | set[str]]] = {
    ADDED: {
        "": _ENVELOPE,
        "data": _WITH_LAST_MONTH | {"referredBy", "referrer"},
        "data.referrer": _PERSON,
    },
    GOAL: {
        "": _ENVELOPE,
        "data": {"participant", "reward"},
        "data.participant": _WITH_LAST_MONTH,
        "data.reward": {
            *("approved", "conversionsRequired", "couponCode", "createdAt", "description"),
            *("imageUrl", "limit", "title", "isReferrer", "type", "rewardId", "id"),
            *("referredId", "referrerId", "metadata"),
        },
    },
    ENDED: {
        "": _ENVELOPE,
        "data": {
            *("id", "name", "participantCount", "startedAt", "endedAt", "status"),
            *("impressionCount", "referralCount", "winnerCount", "winners"),
        },
        "data.winners.0": _WITH_LAST_MONTH - {"inviteCount"},
    },
}


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is told of one campaign with all kinds of fields set."""

    events: dict[str, Json]
    names: dict[str, str]


@pytest.fixture(scope="module")
def story(hooked: Stack) -> Story:
    with Api(hooked.url, hooked.api_key) as api:
        heard = Heard.begin(
            hooked, api, installation={"shareUrl": "https://piedpiper.example.com/"}
        )
        api.ok("PATCH", heard.path, {"name": "Middle-Out Compression Launch"})
        reward = heard.offer(
            "DOUBLE_SIDED",
            title="Early-Bird Reward",
            description="Win a free t-shirt",
            referralDescription="Win one, too",
            imageUrl="https://example.com/t-shirt.jpg",
            isUnlimited=False,
            limit=3,
            couponCode="PROMO_20_OFF",
            metadata={"foo": "bar", "amount": "$25", "points": 1000},
        )
        richard = api.add(
            heard.id,
            "richard@piedpiper.example.com",
            firstName="Richard",
            lastName="Hendricks",
            metadata={"companyName": "Pied Piper, Inc", "teamSize": 10, "ratio": 2.5, "top": True},
        )["id"]
        api.update(heard.id, richard, notes="Wants a jacket")
        gavin = api.add(
            heard.id,
            "gavin@hooli.example.com",
            firstName="Gavin",
            lastName="Belson ✓",
            referredBy=richard,
        )["id"]
        heard.news()
        jared = api.add(heard.id, "jared@piedpiper.example.com", referredBy=richard)["id"]
        [added] = heard.news()
        api.trigger(heard.id, gavin)
        one, other = heard.news()
        word = {"fraudRiskLevel": "MEDIUM", "note": "Nobody else hears this"}
        api.ok("POST", f"/v2/campaign/{heard.id}/participant/{jared}/fraud", word)
        [suspected] = heard.news()
        api.set_status(heard.id, "COMPLETE")
        [ended] = heard.news()
        [yours] = heard.earned(richard)
        [theirs] = heard.earned(gavin)
    goals = {each["data"]["reward"]["isReferrer"]: each for each in (one, other)}
    events = {
        ADDED: added,
        GOAL: goals[True],
        f"{GOAL}-of-the-friend": goals[False],
        FRAUD: suspected,
        ENDED: ended,
    }
    names = {
        yours["id"]: "<the referrer's reward>",
        theirs["id"]: "<the friend's reward>",
        heard.id: "<the campaign>",
        reward: "<the offered reward>",
        richard: "<richard>",
        gavin: "<gavin>",
        jared: "<jared>",
    }
    return Story(events, names)


def _normal(value: Any, names: dict[str, str], key: str = "") -> Any:
    match value:
        case dict():
            return {name: _normal(each, names, name) for name, each in value.items()}
        case list():
            return [_normal(each, names) for each in value]
        case int() if key.endswith("At"):
            return "<time>"
        case str():
            for found, name in names.items():
                value = value.replace(found, name)
    return value


@pytest.mark.parametrize("name", [ADDED, GOAL, f"{GOAL}-of-the-friend", FRAUD, ENDED])
def test_an_event_is_the_golden_one(story: Story, name: str) -> None:
    """`GRAPEVINE_WRITE_GOLDEN=1` writes the files anew: look at the difference before a commit."""
    told = json.dumps(_normal(story.events[name], story.names), indent=2, ensure_ascii=False)
    path = GOLDEN / f"{name}.json"

    if os.environ.get("GRAPEVINE_WRITE_GOLDEN"):
        path.write_text(f"{told}\n", encoding="utf-8")

    assert f"{told}\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SEED_KEYS)
def test_an_event_has_every_key_of_the_seeds_example(story: Story, name: str) -> None:
    for place, seeds_keys in SEED_KEYS[name].items():
        found: Any = story.events[name]
        for step in filter(None, place.split(".")):
            found = found[int(step)] if step.isdigit() else found[step]

        assert seeds_keys - set(found) == set(), place


def test_a_person_in_an_event_has_no_lists_and_one_number_of_shares(story: Story) -> None:
    person = story.events[GOAL]["data"]["participant"]

    assert person["shareCount"] == 0
    assert type(person["rank"]) is int
    assert person["notes"] == "Wants a jacket"
    assert person["metadata"] == {
        "companyName": "Pied Piper, Inc",
        "teamSize": 10,
        "ratio": 2.5,
        "top": True,
    }
    unknown_to_webhooks = {"referrals", "monthlyReferrals", "rewards", "monthlyRank"}
    assert not unknown_to_webhooks & set(person)


# --- Who is told ----------------------------------------------------------------------------------


def test_webhooks_that_are_disabled_or_not_subscribed_or_of_others_get_nothing(
    heard: Heard,
) -> None:
    other = Heard.begin(heard.stack, heard.api)
    ends, off, none = (f"{heard.id}-{name}" for name in ("ends", "off", "none"))
    heard.listen(ends, [ENDED])
    heard.listen(off, isEnabled=False)
    heard.listen(none, [])

    heard.join()

    assert heard.names() == [ADDED]
    assert [received(heard.stack, each) for each in (ends, off, none)] == [[], [], []]
    assert other.names() == []


def test_an_enabled_webhook_is_told_of_what_happens_from_then_on(heard: Heard) -> None:
    path = f"{heard.path}/webhooks/primary"
    heard.api.ok("PATCH", path, {"isEnabled": False})
    heard.join()
    heard.stack.drain()

    heard.api.ok("PATCH", path, {"isEnabled": True})
    later = heard.join()

    assert [event["data"]["id"] for event in heard.news()] == [later]


def test_a_deleted_webhook_is_told_nothing_more(heard: Heard) -> None:
    with heard.stack.hold("DeliverWebhookFunction"):
        heard.join()
        heard.stack.drain()
        heard.api.ok("DELETE", f"{heard.path}/webhooks/primary")
    heard.join()

    assert heard.names() == []


def test_webhooks_of_a_campaign_are_told_the_same_bytes_under_the_same_id(heard: Heard) -> None:
    second = f"{heard.id}-second"
    heard.listen(second)

    heard.join()
    heard.stack.drain()

    [one], [other] = (heard.stack.inboxes.received(name) for name in (heard.id, second))
    assert one["body"] == other["body"]
    assert one["headers"]["webhook-id"] == other["headers"]["webhook-id"]


# --- The stream as AWS may deliver it -------------------------------------------------------------


def eventful(heard: Heard) -> Counter[str]:
    """Does something of everything, and gives the events that it is."""
    heard.offer("DOUBLE_SIDED")
    heard.offer("LEADERBOARD")
    referrer = heard.join()
    [friend] = heard.credit(referrer)
    heard.api.update(heard.id, friend, firstName="Changed")
    reward = heard.earned(referrer)[0]["id"]
    heard.change("fulfill", reward)
    heard.api.delete(heard.id, heard.join())
    heard.api.set_status(heard.id, "COMPLETE")
    leap(heard.stack, heard.stack.now_ms() + IN_FLIGHT_MS)
    return Counter({ADDED: 2, GOAL: 3, ENDED: 1})


def once(heard: Heard, expected: Counter[str]) -> None:
    """All expected events have come by now, each once, under an id of its own."""
    heard.stack.drain()
    ids = event_ids(heard.stack, heard.id)
    assert Counter(event["event"] for event in received(heard.stack, heard.id)) == expected
    assert len(ids) == len(set(ids))
    stored = reward_invariants.events_of(heard.stack)
    assert {each["eventId"] for each in stored if each["campaignId"] == heard.id} == set(ids)


def test_a_batch_that_is_delivered_again_is_told_once(alone: Heard) -> None:
    expected = eventful(alone)
    alone.stack.drain()

    alone.stack.redeliver(RELAY)
    alone.stack.redeliver(RELAY)

    once(alone, expected)


def test_a_batch_that_comes_in_pieces_and_again_as_a_whole_is_told_once(alone: Heard) -> None:
    expected = eventful(alone)
    with alone.stack.hold(RELAY):
        alone.stack.drain()
    records = alone.stack.take_records(RELAY)
    assert len(records) >= expected.total()

    for size in (1, 2, 3, len(records)):
        for start in range(0, len(records), size):
            answer = alone.stack.deliver(RELAY, records[start : start + size])
            assert answer == {"batchItemFailures": []}

    once(alone, expected)


def test_records_in_any_order_are_told_once(alone: Heard) -> None:
    expected = eventful(alone)
    with alone.stack.hold(RELAY):
        alone.stack.drain()
    records = alone.stack.take_records(RELAY)

    for seed in range(3):
        shuffled = random.Random(seed).sample(records, len(records))  # noqa: S311 - the same each time
        alone.stack.deliver(RELAY, shuffled[: len(records) // 2])
        alone.stack.deliver(RELAY, shuffled)

    once(alone, expected)


def test_a_relay_that_dies_at_each_call_in_turn_over_the_same_records_tells_once(
    alone: Heard,
) -> None:
    expected = eventful(alone)
    with alone.stack.hold(RELAY):
        alone.stack.drain()
    records = alone.stack.take_records(RELAY)

    for calls in itertools.count():
        with alone.stack.kill_after(calls, RELAY) as order, suppress(InvocationFailed):
            alone.stack.deliver(RELAY, records)
        if not order.happened:
            break

    assert calls > 4
    leap(alone.stack, alone.stack.now_ms() + FIRST_ATTEMPT_BY_MS + MINUTE_MS)
    once(alone, expected)


def test_events_are_told_once_after_the_relay_died_anywhere(fresh_hooked: Stack) -> None:
    with Api(fresh_hooked.url, fresh_hooked.api_key) as api:
        programs: list[Heard] = []
        for calls in itertools.count():
            heard = Heard.begin(fresh_hooked, api)
            heard.offer("DOUBLE_SIDED")
            heard.credit(heard.join())

            with fresh_hooked.kill_after(calls, RELAY) as order:
                fresh_hooked.drain()

            programs.append(heard)
            if not order.happened:
                break
        assert calls > 4, "the relay made hardly a call"
        # What was stored and not queued goes out with the sweep.
        leap(fresh_hooked, fresh_hooked.now_ms() + FIRST_ATTEMPT_BY_MS + MINUTE_MS)
        for heard in programs:
            once(heard, Counter({ADDED: 2, GOAL: 2}))
        assert fresh_hooked.queue_messages("StreamFailureQueue") == []


@pytest.mark.parametrize(
    "poison",
    [
        {"type": {"S": "EarnedReward"}},
        {"type": {"S": "EarnedReward"}, "campaignId": {"S": "nobody"}, "number": {"S": "x"}},
        {"type": {"S": "Profile"}, "campaignId": {"N": "1"}},
    ],
)
def test_a_poison_record_blocks_nobody_and_lands_in_the_failure_queue(
    alone: Heard, poison: dict[str, Any]
) -> None:
    key = {"partition": {"S": "POISON"}, "sort": {"S": "POISON"}}
    alone.join()
    alone.stack.dynamodb.put_item(TableName=alone.stack.table_name, Item={**key, **poison})
    alone.join()

    assert alone.names() == [ADDED, ADDED]
    [lost] = alone.stack.queue_messages("StreamFailureQueue")
    assert json.loads(lost.body)["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_participant_who_is_deleted_before_being_told_of_is_not_told_of(alone: Heard) -> None:
    alone.offer("DOUBLE_SIDED")
    with alone.stack.hold(RELAY):
        referrer = alone.join()
        [friend] = alone.credit(referrer)
        alone.api.delete(alone.id, friend)
        stays = alone.join()
        alone.stack.drain()

    events = alone.news()

    told = [(event["event"], event["data"].get("id")) for event in events]
    assert told == [(ADDED, referrer), (GOAL, None), (ADDED, stays)]
    assert events[1]["data"]["participant"]["id"] == referrer
    assert "referee" not in events[1]["data"]["participant"]
    assert alone.stack.queue_messages("StreamFailureQueue") == []


def test_a_friend_whose_referrer_is_deleted_before_being_told_of_is_told_of_alone(
    alone: Heard,
) -> None:
    with alone.stack.hold(RELAY):
        referrer = alone.join()
        friend = alone.join(referredBy=referrer)
        alone.api.delete(alone.id, referrer)
        alone.stack.drain()

    [event] = alone.news()

    assert event["data"]["id"] == friend
    assert event["data"]["referralSource"] == "DELETED_PARTICIPANT"
    assert "referrer" not in event["data"]


def test_an_approval_right_after_the_earning_is_another_event(alone: Heard) -> None:
    """Both in one batch, and if need be in one millisecond."""
    alone.api.ok("PATCH", f"{alone.path}/options", MANUAL)
    alone.offer()
    with alone.stack.hold(RELAY):
        referrer = alone.join()
        alone.credit(referrer)
        alone.change("approve", alone.earned(referrer)[0]["id"])
        drain(alone.api)

    goals = [event for event in alone.news() if event["event"] == GOAL]

    assert [event["data"]["reward"]["approved"] for event in goals] == [False, True]
