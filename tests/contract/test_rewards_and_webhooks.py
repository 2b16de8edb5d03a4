"""Rewards and webhooks as a customer uses them: the official SDK on one side, a receiver on the
other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from growsurf import APIStatusError, BadRequestError, Growsurf, NotFoundError
from growsurf.types.campaign.reward_tax_valuation import RewardTaxValuation
from growsurf.types.campaign.webhook_event import WebhookEvent

from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from local.stack import Stack
from tests.reward_stories import event_ids, received, stack_with_receivers

ADDED: WebhookEvent = "NEW_PARTICIPANT_ADDED"
GOAL: WebhookEvent = "PARTICIPANT_REACHED_A_GOAL"
ENDED: WebhookEvent = "CAMPAIGN_ENDED"


@pytest.fixture(scope="module")
def stack(engine: str) -> Iterator[Stack]:
    """Its webhooks may go to its own inboxes."""
    with stack_with_receivers(engine) as started:
        yield started


def inbox(stack: Stack, name: str) -> str:
    return f"{stack.url}/_local/inbox/{name}"


def credited(client: Growsurf, campaign_id: str, email: str, referrer: str) -> str:
    """The id of a new friend whose credit has been given."""
    return client.campaign.participant.add(
        campaign_id, email=email, referred_by=referrer, referral_status="CREDIT_AWARDED"
    ).id


def refusal(call: Callable[[], object], kind: type[APIStatusError]) -> dict[str, Any]:
    with pytest.raises(kind) as refused:
        call()
    body: Any = refused.value.body
    assert body["status"] == refused.value.status_code
    return {name: body[name] for name in ("name", "code", "message")}


# --- Each operation -------------------------------------------------------------------------------


def test_a_reward_is_created_listed_changed_and_deleted(client: Growsurf, campaign_id: str) -> None:
    created = client.campaign.rewards.create(
        campaign_id,
        type="DOUBLE_SIDED",
        title="Early bird",
        description="A T-shirt",
        referral_description="A mug",
        image_url="https://example.com/shirt.png",
        is_unlimited=False,
        limit=3,
        limit_duration="PER_YEAR",
        conversions_required=2,
        order=1,
        coupon_code="ME",
        referral_coupon_code="YOU",
        referred_reward_upfront=True,
        metadata={"my key": 25, "plan": "pro"},
        value=RewardTaxValuation(fairMarketValueUSD=12.5),
    )

    assert created.type == "DOUBLE_SIDED"
    assert (created.title, created.description) == ("Early bird", "A T-shirt")
    assert (created.referral_description, created.image_url) == (
        "A mug",
        "https://example.com/shirt.png",
    )
    assert (created.is_unlimited, created.limit, created.limit_duration) == (False, 3, "PER_YEAR")
    assert (created.conversions_required, created.order) == (2, 1)
    assert (created.coupon_code, created.referral_coupon_code) == ("ME", "YOU")
    assert created.referred_reward_upfront is created.is_visible is True
    assert created.metadata == {"myKey": "25", "plan": "pro"}
    assert created.event == "CONVERSION"
    assert created.value is not None
    assert created.value.fair_market_value_usd == 12.5
    assert created.referred_value is None
    assert client.campaign.rewards.list(campaign_id).rewards == [created]
    changed = client.campaign.rewards.update(
        created.id, id=campaign_id, is_unlimited=True, metadata={"other": True}, coupon_code=None
    )
    assert (changed.id, changed.limit, changed.metadata) == (created.id, -1, {"other": "true"})
    assert (changed.coupon_code, changed.title) == (None, "Early bird")
    [shown] = client.campaign.retrieve(campaign_id).rewards
    assert (shown.id, shown.limit) == (created.id, -1)
    gone = client.campaign.rewards.delete(created.id, id=campaign_id)
    assert (gone.id, gone.success) == (created.id, True)
    assert client.campaign.rewards.list(campaign_id).rewards == []


def test_rewards_come_with_a_new_campaign_and_with_its_clone(client: Growsurf) -> None:
    created = client.campaign.create(
        type="REFERRAL",
        rewards=[{"type": "MILESTONE", "conversions_required": 3}, {"type": "LEADERBOARD"}],
    )

    cloned = client.campaign.clone(created.id)

    assert [reward.type for reward in created.rewards] == ["MILESTONE", "LEADERBOARD"]
    assert created.rewards[0].conversions_required == 3
    assert created.rewards[1].number_of_winners == 3
    assert [reward.type for reward in cloned.rewards] == ["MILESTONE", "LEADERBOARD"]
    assert not {one.id for one in created.rewards} & {one.id for one in cloned.rewards}


def test_an_earned_reward_is_listed_approved_and_fulfilled(
    client: Growsurf, campaign_id: str
) -> None:
    client.campaign.options.update(campaign_id, body={"requireManualRewardApproval": True})
    offered = client.campaign.rewards.create(campaign_id, type="SINGLE_SIDED")
    referrer = client.campaign.participant.add(campaign_id, email="earner@example.com").id
    friend = credited(client, campaign_id, "earners-friend@example.com", referrer)

    page = client.campaign.participant.list_rewards("earner@example.com", id=campaign_id)

    assert (page.limit, page.next_id) == (10, None)
    [pending] = page.rewards
    assert (pending.reward_id, pending.status) == (offered.id, "PENDING")
    assert pending.approved is pending.is_fulfilled is pending.is_available is False
    assert pending.approved_at is pending.fulfilled_at is None
    assert pending.is_referrer is pending.unread is True
    assert (pending.referrer_id, pending.referred_id) == (referrer, friend)
    assert client.campaign.reward.approve(pending.id, id=campaign_id).success
    [approved] = client.campaign.participant.list_rewards(referrer, id=campaign_id).rewards
    assert (approved.approved, approved.is_available, approved.status) == (True, False, "PENDING")
    assert client.campaign.reward.fulfill(pending.id, id=campaign_id).success
    [fulfilled] = client.campaign.participant.retrieve(referrer, id=campaign_id).rewards
    assert (fulfilled.status, fulfilled.is_fulfilled, fulfilled.is_available) == (
        "FULFILLED",
        True,
        True,
    )
    assert fulfilled.approved_at == approved.approved_at
    assert fulfilled.fulfilled_at is not None


def test_an_earned_reward_is_removed(client: Growsurf, campaign_id: str) -> None:
    client.campaign.options.update(campaign_id, body={"requireManualRewardApproval": True})
    client.campaign.rewards.create(campaign_id, type="SINGLE_SIDED")
    referrer = client.campaign.participant.add(campaign_id, email="removed@example.com").id
    credited(client, campaign_id, "removeds-friend@example.com", referrer)
    [pending] = client.campaign.participant.list_rewards(referrer, id=campaign_id).rewards

    assert client.campaign.reward.delete(pending.id, id=campaign_id).success

    assert client.campaign.participant.list_rewards(referrer, id=campaign_id).rewards == []


def test_rewards_are_paged_by_the_sdk(client: Growsurf, campaign_id: str) -> None:
    client.campaign.rewards.create(campaign_id, type="SINGLE_SIDED")
    referrer = client.campaign.participant.add(campaign_id, email="pages@example.com").id
    friends = [
        credited(client, campaign_id, f"pages-{number}@example.com", referrer)
        for number in range(3)
    ]

    first = client.campaign.participant.list_rewards(referrer, id=campaign_id, limit=2)
    assert first.next_id is not None
    second = client.campaign.participant.list_rewards(
        "pages@example.com", id=campaign_id, limit=2, next_id=first.next_id
    )

    assert [one.referred_id for one in [*first.rewards, *second.rewards]] == friends[::-1]
    assert second.next_id is None


def test_what_the_state_of_a_reward_forbids_is_not_acceptable(
    client: Growsurf, campaign_id: str
) -> None:
    client.campaign.rewards.create(campaign_id, type="SINGLE_SIDED")
    referrer = client.campaign.participant.add(campaign_id, email="states@example.com").id
    credited(client, campaign_id, "states-friend@example.com", referrer)
    [earned] = client.campaign.participant.list_rewards(referrer, id=campaign_id).rewards

    again = refusal(
        lambda: client.campaign.reward.approve(earned.id, id=campaign_id), APIStatusError
    )
    removal = refusal(
        lambda: client.campaign.reward.delete(earned.id, id=campaign_id), APIStatusError
    )

    named = {"name": "InvalidRewardState", "code": "INVALID_REWARD_STATE"}
    reasons = (
        "Reward has already been approved.",
        "This reward has already been approved and cannot be removed.",
    )
    for body, reason in zip((again, removal), reasons, strict=True):
        assert body == {**named, "message": f"Invalid reward state. {reason}"}


def test_an_unknown_reward_is_not_found(client: Growsurf, campaign_id: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: client.campaign.reward.approve("prew_zzzzzz_1", id=campaign_id),
        lambda: client.campaign.reward.fulfill("prew_zzzzzz_1", id=campaign_id),
        lambda: client.campaign.reward.delete("nothing", id=campaign_id),
        lambda: client.campaign.rewards.update("crew_nothing", id=campaign_id, title="X"),
        lambda: client.campaign.rewards.delete("crew_nothing", id=campaign_id),
        lambda: client.campaign.webhooks.update("primary", id=campaign_id, is_enabled=True),
        lambda: client.campaign.webhooks.delete("primary", id=campaign_id),
        lambda: client.campaign.webhooks.test("primary", id=campaign_id),
    ]

    for call in calls:
        assert refusal(call, NotFoundError)["code"] == "NOT_FOUND_ERROR"


def test_a_webhook_is_created_listed_changed_probed_and_deleted(
    stack: Stack, client: Growsurf, campaign_id: str
) -> None:
    url = inbox(stack, f"{campaign_id}-operations")

    created = client.campaign.webhooks.create(
        campaign_id, payload_url=url, events=[ADDED, GOAL], secret="whsec_secret"
    )

    assert (created.id, created.payload_url) == ("primary", url)
    assert created.events == [ADDED, GOAL]
    assert created.is_enabled is True
    assert created.auto_disabled_due_to_failures is False
    assert (created.failure_count, created.last_failure_at) == (0, None)
    assert client.campaign.webhooks.list(campaign_id).webhooks == [created]
    changed = client.campaign.webhooks.update(
        "primary", id=campaign_id, events=[ENDED], is_enabled=False
    )
    assert (changed.events, changed.is_enabled, changed.payload_url) == ([ENDED], False, url)
    probed = client.campaign.webhooks.test("primary", id=campaign_id, event=ADDED)
    assert probed.success
    assert probed.response is not None
    assert probed.response.status_code == 200
    [event] = received(stack, f"{campaign_id}-operations")
    assert event == probed.payload
    assert event["event"] == ADDED
    gone = client.campaign.webhooks.delete("primary", id=campaign_id)
    assert (gone.id, gone.success) == ("primary", True)
    assert client.campaign.webhooks.list(campaign_id).webhooks == []


def test_a_sixth_webhook_and_a_refused_destination_are_bad_requests(
    stack: Stack, client: Growsurf, campaign_id: str
) -> None:
    for number in range(5):
        client.campaign.webhooks.create(campaign_id, payload_url=inbox(stack, f"five-{number}"))

    for url in (inbox(stack, "six"), "http://example.com/hook", "https://10.0.0.1/hook"):
        call = lambda url=url: client.campaign.webhooks.create(campaign_id, payload_url=url)  # noqa: E731
        assert refusal(call, BadRequestError)["code"] == "BAD_REQUEST_ERROR"

    assert len(client.campaign.webhooks.list(campaign_id).webhooks) == 5


# --- The story ------------------------------------------------------------------------------------


def offer_one_of_each_kind(client: Growsurf, campaign_id: str) -> dict[str, str]:
    """The ids of the rewards, by a short name."""
    create = client.campaign.rewards.create
    offered = {
        "every fourth": create(
            campaign_id,
            type="SINGLE_SIDED",
            conversions_required=4,
            is_unlimited=False,
            limit=2,
            title="every fourth",
        ),
        "both": create(campaign_id, type="DOUBLE_SIDED", is_unlimited=False, limit=2, title="both"),
        "upfront": create(
            campaign_id,
            type="DOUBLE_SIDED",
            conversions_required=6,
            referred_reward_upfront=True,
            title="upfront",
        ),
        "milestone": create(
            campaign_id, type="MILESTONE", conversions_required=10, title="milestone"
        ),
        "leaderboard": create(
            campaign_id, type="LEADERBOARD", number_of_winners=1, title="leaderboard"
        ),
    }
    return {name: reward.id for name, reward in offered.items()}


# Of twelve friends: who earns which reward by which credit; the friends are numbered from 1.
BY_CREDITS = Counter(
    {
        **{("every fourth", "referrer", number): 1 for number in (4, 8)},
        **{("both", side, number): 1 for side in ("referrer", "friend") for number in (1, 2)},
        **{("upfront", "friend", number): 1 for number in range(1, 13)},
        **{("upfront", "referrer", number): 1 for number in (6, 12)},
        ("milestone", "referrer", 10): 1,
    }
)
BY_THE_END = Counter({("leaderboard", "referrer", None): 1})


@pytest.mark.parametrize("manual", [False, True], ids=["automatic", "manual"])
def test_twelve_friends_earn_one_of_each_kind_and_every_event_arrives_once(
    stack: Stack, client: Growsurf, campaign_id: str, manual: bool
) -> None:
    client.campaign.options.update(campaign_id, body={"requireManualRewardApproval": manual})
    rewards = offer_one_of_each_kind(client, campaign_id)
    client.campaign.webhooks.create(
        campaign_id,
        payload_url=inbox(stack, campaign_id),
        events=[ADDED, GOAL, ENDED],
        secret="whsec_c3Rvcnk",
    )
    referrer = client.campaign.participant.add(
        campaign_id, email=f"monica@{campaign_id}.example.com", first_name="Monica"
    ).id

    friends = [
        client.campaign.participant.add(
            campaign_id, email=f"{number}@{campaign_id}.example.com", referred_by=referrer
        ).id
        for number in range(1, 13)
    ]
    for friend in friends:
        assert client.campaign.participant.trigger_referral(friend, id=campaign_id).success
    pending = earned_by(client, campaign_id, [referrer, *friends])
    if manual:
        for reward in pending:
            assert client.campaign.reward.approve(reward, id=campaign_id).success
    client.campaign.update(campaign_id, status="COMPLETE")
    stack.drain()
    stack.advance(IN_FLIGHT_MS)
    stack.drain()
    if manual:
        won = set(earned_by(client, campaign_id, [referrer])) - set(pending)
        for reward in won:
            assert client.campaign.reward.approve(reward, id=campaign_id).success
    stack.drain()

    told = received(stack, campaign_id)
    ids = event_ids(stack, campaign_id)
    goals = [event["data"] for event in told if event["event"] == GOAL]
    assert len(ids) == len(set(ids)) == len(told)
    added = [event["data"]["id"] for event in told if event["event"] == ADDED]
    assert Counter(added) == Counter([referrer, *friends])
    for approved in (False, True):
        found = Counter(
            what_was_earned(goal, rewards, friends)
            for goal in goals
            if goal["reward"]["approved"] is approved
        )
        assert found == (BY_CREDITS + BY_THE_END if approved or manual else Counter())
    [ended] = [event["data"] for event in told if event["event"] == ENDED]
    assert (ended["id"], ended["status"], ended["participantCount"]) == (
        campaign_id,
        "COMPLETE",
        13,
    )
    assert (ended["referralCount"], ended["winnerCount"]) == (12, 13)
    assert [winner["id"] for winner in ended["winners"]] == [referrer, *friends]
    assert Counter(event["event"] for event in told) == {
        ADDED: 13,
        GOAL: (BY_CREDITS + BY_THE_END).total() * (2 if manual else 1),
        ENDED: 1,
    }
    assert client.campaign.retrieve(campaign_id).winner_count == 13
    # Nothing comes later, either.
    stack.advance(60 * 60 * 1000)
    assert len(received(stack, campaign_id)) == len(told)


def earned_by(client: Growsurf, campaign_id: str, people: list[str]) -> list[str]:
    pages = [
        client.campaign.participant.list_rewards(one, id=campaign_id, limit=100) for one in people
    ]
    return [reward.id for page in pages for reward in page.rewards]


def what_was_earned(
    goal: dict[str, Any], rewards: dict[str, str], friends: list[str]
) -> tuple[str, str, int | None]:
    """The reward's short name, the side, and the number of the friend."""
    reward, participant = goal["reward"], goal["participant"]
    referred = reward["referredId"]
    assert reward["rewardId"] == rewards[reward["title"]]
    if reward["isReferrer"]:
        assert participant["id"] == reward["referrerId"]
        assert participant.get("referee", {}).get("id") == referred
    else:
        assert participant["id"] == referred
        assert participant["referrer"]["id"] == reward["referrerId"]
    number = friends.index(referred) + 1 if referred else None
    return reward["title"], "referrer" if reward["isReferrer"] else "friend", number
