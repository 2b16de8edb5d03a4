"""The states of a referral credit (D.1, D.2), seen through the front door."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from grapevine import runtime
from grapevine.months import month_at
from grapevine.table import store
from grapevine.table.referrals import Referral
from grapevine.table.writes import ABSENT, Put
from local.stack import Stack
from tests.api import Api
from tests.refusals import refusal, refused_fields
from tests.scenarios import DAY_MS, MINUTE_MS, advance, drain, leap

AWARDED = {"success": True, "message": "Successfully awarded referral credit."}


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign()


@pytest.fixture
def later(fresh_stack: Stack) -> Iterator[Api]:
    """A client of a stack whose clock may be moved."""
    with Api(fresh_stack.url, fresh_stack.api_key) as client:
        yield client


def pair(api: Api, campaign_id: str, **fields: Any) -> tuple[str, str]:
    """A referrer and a friend."""
    referrer = api.add(campaign_id)["id"]
    return referrer, api.add(campaign_id, referredBy=referrer, **fields)["id"]


def status_of(api: Api, campaign_id: str, friend: str) -> str:
    status: str = api.read(campaign_id, friend)["referralStatus"]
    return status


def credited(api: Api, campaign_id: str, referrer: str) -> list[str]:
    """The friends that the referrer has credit for; all places that tell of it agree."""
    drain(api)
    read = api.read(campaign_id, referrer)
    friends: list[str] = read["referrals"]
    assert read["referralCount"] == len(friends)
    total = sum(one["referralCount"] for one in api.all_pages(campaign_id, 100))
    assert api.read_campaign(campaign_id)["referralCount"] == total
    return friends


# Now


def test_a_trigger_credits_the_referrer(api: Api, campaign_id: str) -> None:
    referrer, friend = pair(api, campaign_id)

    outcome = api.trigger(campaign_id, friend)

    assert outcome == AWARDED
    assert status_of(api, campaign_id, friend) == "CREDIT_AWARDED"
    assert credited(api, campaign_id, referrer) == [friend]
    assert api.read(campaign_id, referrer)["monthlyReferrals"] == [friend]


def test_a_participant_may_be_named_by_email(api: Api, campaign_id: str) -> None:
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, "friend+tag@example.com", referredBy=referrer)["id"]

    assert api.trigger(campaign_id, "FRIEND+tag@example.com") == AWARDED
    assert credited(api, campaign_id, referrer) == [friend]


@pytest.mark.parametrize("content", [b"", b"{}", b" ", b'{"delayInDays":null}'])
def test_every_form_of_an_empty_body_means_now(api: Api, campaign_id: str, content: bytes) -> None:
    _, friend = pair(api, campaign_id)

    response = api.http.post(
        f"/v2/campaign/{campaign_id}/participant/{friend}/ref",
        content=content,
        headers={"content-type": "application/json"},
    )

    assert response.json() == AWARDED


def test_a_second_trigger_awards_nothing(api: Api, campaign_id: str) -> None:
    referrer, friend = pair(api, campaign_id)
    api.trigger(campaign_id, friend)

    again = api.trigger(campaign_id, friend)
    with_delay = api.trigger(campaign_id, friend, delayInDays=5)

    refused = {"success": False, "message": "Referral credit has already been awarded"}
    assert again == with_delay == refused
    assert credited(api, campaign_id, referrer) == [friend]


def test_somebody_who_was_not_referred_gives_nobody_credit(api: Api, campaign_id: str) -> None:
    alone = api.add(campaign_id)["id"]

    outcome = api.trigger(campaign_id, alone)

    assert outcome == {"success": False, "message": "Participant was not referred"}


def test_a_credit_given_at_signup_is_not_given_again(api: Api) -> None:
    campaign_id = api.campaign(installation={"referralTrigger": "ON_SIGNUP"})
    referrer, friend = pair(api, campaign_id)

    outcome = api.trigger(campaign_id, friend)

    assert outcome["success"] is False
    assert credited(api, campaign_id, referrer) == [friend]


def test_friends_are_listed_newest_credit_first(api: Api, campaign_id: str) -> None:
    referrer, first = pair(api, campaign_id)
    second = api.add(campaign_id, referredBy=referrer)["id"]
    third = api.add(campaign_id, referredBy=referrer)["id"]

    for friend in (second, third, first):
        api.trigger(campaign_id, friend)

    assert credited(api, campaign_id, referrer) == [first, third, second]


def test_no_more_than_a_hundred_friends_are_listed(
    stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer, friend = pair(api, campaign_id)
    api.trigger(campaign_id, friend)
    now = stack.now_ms()
    # Older credits are put into the table past the API, which would take a while.
    older = [
        Referral(
            campaign_id=campaign_id,
            referrer_id=referrer,
            referred_id=f"older{number:03}",
            email=f"older{number:03}@example.com",
            status="CREDIT_AWARDED",
            created_at=now,
            updated_at=now - 1000 * (number + 1),
            pending_since=now,
            credited_at=now - 1000 * (number + 1),
            credited_month=month_at(now),
        )
        for number in range(100)
    ]
    with runtime.using(stack.runtime()):
        store.transact([Put(one.to_item(), ABSENT) for one in older])

    listed = api.read(campaign_id, referrer)["referrals"]

    assert listed == [friend, *(one.referred_id for one in older[:99])]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("participant", ["zzzzzz", "nobody@example.com"])
def test_an_unknown_participant_is_a_bad_request(
    api: Api, campaign_id: str, method: str, participant: str
) -> None:
    refusal(api.call(method, f"/v2/campaign/{campaign_id}/participant/{participant}/ref"), 400)


# Later


@pytest.mark.parametrize("delay", [0, 91, -1, 1.5, "soon", [], {}, 10**30, True])
def test_a_delay_that_is_not_1_to_90_days_is_refused(
    api: Api, campaign_id: str, delay: object
) -> None:
    _, friend = pair(api, campaign_id)

    response = api.call(
        "POST",
        f"/v2/campaign/{campaign_id}/participant/{friend}/ref",
        {"delayInDays": delay},
    )

    assert refused_fields(response) == ["delayInDays"]
    assert status_of(api, campaign_id, friend) == "CREDIT_PENDING"
    assert api.cancel_trigger(campaign_id, friend)["success"] is False


@pytest.mark.parametrize("days", [1, 90])
def test_a_delayed_credit_is_pending_and_can_be_cancelled_once(
    api: Api, campaign_id: str, days: int
) -> None:
    referrer, friend = pair(api, campaign_id)

    delayed = api.trigger(campaign_id, friend, delayInDays=days)
    canceled, again = (api.cancel_trigger(campaign_id, friend) for _ in range(2))

    assert delayed["success"] is True
    assert (canceled["success"], again["success"]) == (True, False)
    assert status_of(api, campaign_id, friend) == "CREDIT_PENDING"
    assert credited(api, campaign_id, referrer) == []
    assert api.trigger(campaign_id, friend) == AWARDED


def test_a_delayed_credit_is_given_by_itself_on_its_date(later: Api) -> None:
    campaign_id = later.campaign()
    referrer, friend = pair(later, campaign_id)
    later.trigger(campaign_id, friend, delayInDays=1)

    advance(later, DAY_MS - MINUTE_MS)
    before = credited(later, campaign_id, referrer)
    advance(later, 3 * MINUTE_MS)

    assert before == []
    assert credited(later, campaign_id, referrer) == [friend]
    assert status_of(later, campaign_id, friend) == "CREDIT_AWARDED"


def test_a_cancelled_credit_is_not_given_on_its_date(later: Api) -> None:
    campaign_id = later.campaign()
    referrer, friend = pair(later, campaign_id)
    later.trigger(campaign_id, friend, delayInDays=1)
    later.cancel_trigger(campaign_id, friend)

    advance(later, DAY_MS + 2 * MINUTE_MS)

    assert credited(later, campaign_id, referrer) == []
    assert status_of(later, campaign_id, friend) == "CREDIT_PENDING"


def test_a_second_delay_moves_the_date(later: Api) -> None:
    campaign_id = later.campaign()
    referrer, friend = pair(later, campaign_id)
    later.trigger(campaign_id, friend, delayInDays=1)
    later.trigger(campaign_id, friend, delayInDays=2)

    advance(later, DAY_MS + 2 * MINUTE_MS)
    after_the_first_date = credited(later, campaign_id, referrer)
    advance(later, DAY_MS)

    assert after_the_first_date == []
    assert credited(later, campaign_id, referrer) == [friend]


def test_a_trigger_without_delay_overtakes_a_delayed_one(later: Api) -> None:
    campaign_id = later.campaign()
    referrer, friend = pair(later, campaign_id)
    later.trigger(campaign_id, friend, delayInDays=1)

    outcome = later.trigger(campaign_id, friend)
    advance(later, DAY_MS + 2 * MINUTE_MS)

    assert outcome == AWARDED
    assert later.cancel_trigger(campaign_id, friend)["success"] is False
    assert credited(later, campaign_id, referrer) == [friend]


def test_a_delayed_credit_that_falls_due_after_the_end_is_pending_again(later: Api) -> None:
    campaign_id = later.campaign()
    referrer, friend = pair(later, campaign_id)
    later.trigger(campaign_id, friend, delayInDays=1)
    later.set_status(campaign_id, "COMPLETE")

    advance(later, DAY_MS + 2 * MINUTE_MS)
    after_the_end = credited(later, campaign_id, referrer)
    later.set_status(campaign_id, "IN_PROGRESS")
    advance(later, DAY_MS)

    assert after_the_end == credited(later, campaign_id, referrer) == []
    assert status_of(later, campaign_id, friend) == "CREDIT_PENDING"
    assert later.trigger(campaign_id, friend) == AWARDED


# The credit window


def windowed(api: Api, days: int = 3) -> str:
    return api.campaign(options={"referralCreditWindowDays": days})


def test_a_credit_expires_when_its_window_has_passed(fresh_stack: Stack, later: Api) -> None:
    campaign_id = windowed(later)
    referrer, friend = pair(later, campaign_id)
    joined_at = later.read(campaign_id, friend)["createdAt"]

    leap(fresh_stack, joined_at + 3 * DAY_MS - MINUTE_MS)
    just_before = status_of(later, campaign_id, friend)
    leap(fresh_stack, joined_at + 3 * DAY_MS)
    expired = status_of(later, campaign_id, friend)
    late = later.trigger(campaign_id, friend)
    again = later.trigger(campaign_id, friend)

    assert (just_before, expired) == ("CREDIT_PENDING", "CREDIT_EXPIRED")
    assert late["success"] is True
    assert late != AWARDED
    assert again["success"] is False
    assert status_of(later, campaign_id, friend) == "CREDIT_EXPIRED"
    assert credited(later, campaign_id, referrer) == []


def test_a_late_trigger_with_a_delay_schedules_nothing(fresh_stack: Stack, later: Api) -> None:
    campaign_id = windowed(later)
    _, friend = pair(later, campaign_id)
    leap(fresh_stack, fresh_stack.now_ms() + 4 * DAY_MS)

    later.trigger(campaign_id, friend, delayInDays=1)

    assert later.cancel_trigger(campaign_id, friend)["success"] is False
    assert status_of(later, campaign_id, friend) == "CREDIT_EXPIRED"


def test_the_sweep_writes_an_expiry_down(later: Api) -> None:
    campaign_id = windowed(later, days=1)
    referrer, friend = pair(later, campaign_id)

    advance(later, DAY_MS + 2 * MINUTE_MS)
    later.ok("PATCH", f"/v2/campaign/{campaign_id}/options", {"referralCreditWindowDays": None})

    assert status_of(later, campaign_id, friend) == "CREDIT_EXPIRED"
    assert later.trigger(campaign_id, friend)["success"] is False
    assert credited(later, campaign_id, referrer) == []


def test_an_expired_credit_can_be_made_pending_with_a_new_window(
    fresh_stack: Stack, later: Api
) -> None:
    campaign_id = windowed(later)
    referrer, friend = pair(later, campaign_id)
    leap(fresh_stack, fresh_stack.now_ms() + 4 * DAY_MS)

    reopened = later.update(campaign_id, friend, referralStatus="CREDIT_PENDING")
    leap(fresh_stack, fresh_stack.now_ms() + 2 * DAY_MS)

    assert reopened["referralStatus"] == "CREDIT_PENDING"
    assert status_of(later, campaign_id, friend) == "CREDIT_PENDING"
    assert later.trigger(campaign_id, friend) == AWARDED
    assert credited(later, campaign_id, referrer) == [friend]


def test_a_credit_made_pending_again_expires_again(fresh_stack: Stack, later: Api) -> None:
    campaign_id = windowed(later)
    _, friend = pair(later, campaign_id)
    later.update(campaign_id, friend, referralStatus="CREDIT_EXPIRED")
    later.update(campaign_id, friend, referralStatus="CREDIT_PENDING")

    leap(fresh_stack, fresh_stack.now_ms() + 3 * DAY_MS)

    assert status_of(later, campaign_id, friend) == "CREDIT_EXPIRED"


def test_a_delay_asked_for_in_time_outlasts_the_window(later: Api) -> None:
    campaign_id = windowed(later, days=1)
    referrer, friend = pair(later, campaign_id)
    later.trigger(campaign_id, friend, delayInDays=2)

    advance(later, DAY_MS + 2 * MINUTE_MS)
    meanwhile = status_of(later, campaign_id, friend)
    advance(later, DAY_MS)

    assert meanwhile == "CREDIT_PENDING"
    assert credited(later, campaign_id, referrer) == [friend]


def test_a_referrer_given_after_the_window_comes_too_late(fresh_stack: Stack, later: Api) -> None:
    campaign_id = windowed(later)
    referrer, friend = later.add(campaign_id)["id"], later.add(campaign_id)["id"]
    leap(fresh_stack, fresh_stack.now_ms() + 4 * DAY_MS)

    updated = later.update(campaign_id, friend, referredBy=referrer)

    assert updated["referralStatus"] == "CREDIT_EXPIRED"


def test_the_window_does_not_matter_where_signup_is_enough(fresh_stack: Stack, later: Api) -> None:
    campaign_id = later.campaign(
        installation={"referralTrigger": "ON_SIGNUP"}, options={"referralCreditWindowDays": 1}
    )
    referrer, friend = pair(later, campaign_id, referralStatus="CREDIT_PENDING")
    leap(fresh_stack, fresh_stack.now_ms() + 30 * DAY_MS)

    assert status_of(later, campaign_id, friend) == "CREDIT_PENDING"
    assert later.trigger(campaign_id, friend) == AWARDED
    assert credited(later, campaign_id, referrer) == [friend]


# By hand


def test_a_pending_credit_can_be_awarded_by_an_update(api: Api, campaign_id: str) -> None:
    referrer, friend = pair(api, campaign_id)

    updated = api.update(campaign_id, friend, referralStatus="CREDIT_AWARDED")

    assert updated["referralStatus"] == "CREDIT_AWARDED"
    assert updated["referrer"]["referralCount"] == 1
    assert credited(api, campaign_id, referrer) == [friend]


def test_an_expired_credit_can_be_awarded_by_an_update_but_not_by_a_trigger(
    api: Api, campaign_id: str
) -> None:
    referrer, friend = pair(api, campaign_id)
    api.update(campaign_id, friend, referralStatus="CREDIT_EXPIRED")

    triggered = api.trigger(campaign_id, friend)
    api.update(campaign_id, friend, referralStatus="CREDIT_AWARDED")

    assert triggered["success"] is False
    assert credited(api, campaign_id, referrer) == [friend]


@pytest.mark.parametrize("status", ["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"])
def test_an_awarded_credit_is_awarded_for_good(api: Api, campaign_id: str, status: str) -> None:
    referrer, friend = pair(api, campaign_id, referralStatus="CREDIT_AWARDED")
    path = f"/v2/campaign/{campaign_id}/participant/{friend}"

    response = api.call("POST", path, {"referralStatus": status, "firstName": "Changed"})

    assert refused_fields(response) == ["referralStatus"]
    assert api.read(campaign_id, friend)["firstName"] is None
    assert credited(api, campaign_id, referrer) == [friend]


def test_an_update_to_expired_takes_a_delayed_credit_back(later: Api) -> None:
    campaign_id = later.campaign()
    referrer, friend = pair(later, campaign_id)
    later.trigger(campaign_id, friend, delayInDays=1)

    later.update(campaign_id, friend, referralStatus="CREDIT_EXPIRED")
    advance(later, DAY_MS + 2 * MINUTE_MS)

    assert status_of(later, campaign_id, friend) == "CREDIT_EXPIRED"
    assert credited(later, campaign_id, referrer) == []


# Not in progress


def test_a_draft_credits_nobody_until_it_is_published(api: Api) -> None:
    campaign_id = api.campaign(live=False)
    referrer, friend = pair(api, campaign_id)

    in_draft = api.trigger(campaign_id, friend)
    delayed = api.trigger(campaign_id, friend, delayInDays=3)
    by_hand = api.update(campaign_id, friend, referralStatus="CREDIT_AWARDED")

    assert in_draft["success"] is delayed["success"] is False
    assert in_draft["message"]
    assert by_hand["referralStatus"] == "CREDIT_PENDING"
    assert credited(api, campaign_id, referrer) == []
    api.set_status(campaign_id, "IN_PROGRESS")
    assert api.trigger(campaign_id, friend) == AWARDED


def test_an_ended_campaign_credits_nobody_until_it_is_resumed(api: Api, campaign_id: str) -> None:
    referrer, friend = pair(api, campaign_id)
    api.set_status(campaign_id, "COMPLETE")

    ended = api.trigger(campaign_id, friend)
    by_hand = api.update(campaign_id, friend, referralStatus="CREDIT_AWARDED")

    assert ended["success"] is False
    assert by_hand["referralStatus"] == "CREDIT_PENDING"
    assert credited(api, campaign_id, referrer) == []
    api.set_status(campaign_id, "IN_PROGRESS")
    assert api.trigger(campaign_id, friend) == AWARDED
    assert credited(api, campaign_id, referrer) == [friend]


# Deletion


def test_a_deleted_friend_no_longer_counts(api: Api, campaign_id: str) -> None:
    referrer, friend = pair(api, campaign_id)
    other = api.add(campaign_id, referredBy=referrer, referralStatus="CREDIT_AWARDED")["id"]
    api.trigger(campaign_id, friend)

    api.delete(campaign_id, friend)

    assert credited(api, campaign_id, referrer) == [other]
    assert api.read(campaign_id, referrer)["monthlyReferralCount"] == 1


def test_the_friends_of_a_deleted_referrer_stay_on_their_own(api: Api, campaign_id: str) -> None:
    referrer, friend = pair(api, campaign_id)
    api.trigger(campaign_id, friend)

    api.delete(campaign_id, referrer)
    read = api.read(campaign_id, friend)
    outcome = api.trigger(campaign_id, friend)
    drain(api)

    assert read["referralSource"] == "DELETED_PARTICIPANT"
    assert read["referrer"] is None
    assert "referralStatus" not in read
    assert "referredBy" not in read
    assert outcome == {"success": False, "message": "Participant was not referred"}
    campaign = api.read_campaign(campaign_id)
    assert (campaign["participantCount"], campaign["referralCount"]) == (1, 0)


def test_a_friend_who_comes_back_can_be_credited_anew(api: Api, campaign_id: str) -> None:
    referrer = api.add(campaign_id)["id"]
    first = api.add(campaign_id, "back@example.com", referredBy=referrer)["id"]
    api.trigger(campaign_id, first)
    api.delete(campaign_id, first)

    second = api.add(campaign_id, "back@example.com", referredBy=referrer)

    assert second["isNew"]
    assert second["id"] != first
    assert api.trigger(campaign_id, second["id"]) == AWARDED
    assert credited(api, campaign_id, referrer) == [second["id"]]
