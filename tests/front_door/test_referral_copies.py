"""What a referral repeats of the friend is what the friend's profile says."""

from __future__ import annotations

from typing import Any

import pytest

from grapevine.table import keys, store
from grapevine.table.invites import Invite
from grapevine.table.referrals import Friend, Referral, newest_of
from grapevine.table.writes import ABSENT, Put
from local.stack import Stack
from tests.api import Api, unique_email
from tests.conftest import inside
from tests.scenarios import erase, interrupted


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign()


def referral(stack: Stack, campaign_id: str, referrer_id: str, referred_id: str) -> Referral:
    with inside(stack):
        item = store.get(keys.referral(campaign_id, referrer_id, referred_id))
    assert item is not None
    return Referral.from_item(item)


def newest(stack: Stack, campaign_id: str, referrer_id: str, limit: int) -> list[Friend]:
    with inside(stack):
        return newest_of(campaign_id, referrer_id, limit)


@pytest.mark.parametrize(
    "changes",
    [
        {"firstName": "Erlich"},
        {"lastName": None},
        {"firstName": "Erlich", "referralStatus": "CREDIT_AWARDED"},
        {"firstName": "Erlich", "referralStatus": "CREDIT_PENDING"},
        {"firstName": "Erlich", "notes": "new"},
    ],
)
def test_a_change_of_the_friend_changes_the_referral(
    stack: Stack, api: Api, campaign_id: str, changes: dict[str, Any]
) -> None:
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, firstName="Jared", lastName="Dunn", referredBy=referrer)
    before = referral(stack, campaign_id, referrer, friend["id"])
    email = unique_email()

    after = api.update(campaign_id, friend["id"], email=email, **changes)

    now = referral(stack, campaign_id, referrer, friend["id"])
    assert (before.email, before.first_name) == (friend["email"], "Jared")
    assert now.email == after["email"] == email
    assert (now.first_name, now.last_name) == (after["firstName"], after["lastName"])
    assert now.version == before.version + 1
    assert now.status == after["referralStatus"]


def test_a_referrer_that_is_set_later_gets_the_friend_as_it_is_then(
    stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, firstName="Jared")["id"]

    api.update(campaign_id, friend, referredBy=referrer, firstName="Dinesh", lastName="Chugtai")

    row = referral(stack, campaign_id, referrer, friend)
    assert (row.first_name, row.last_name) == ("Dinesh", "Chugtai")


def test_a_change_of_anything_else_leaves_the_referral_alone(
    stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)
    before = referral(stack, campaign_id, referrer, friend["id"])

    api.update(campaign_id, friend["id"], notes="kind", email=friend["email"])

    assert referral(stack, campaign_id, referrer, friend["id"]) == before


def test_the_newest_friends_are_told_without_the_invites_between_them(
    stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    friends = [
        api.add(campaign_id, firstName=f"Friend {number}", referredBy=referrer)
        for number in range(3)
    ]
    at = stack.now_ms() + 1000
    invites = [
        Invite(
            campaign_id=campaign_id,
            referrer_id=referrer,
            address_hash=f"hash{number}",
            email="invited@example.com",
            request_hash="request",
            message_id="message",
            created_at=at,
        )
        for number in range(60)
    ]
    with inside(stack):
        store.transact([Put(invite.to_item(), ABSENT) for invite in invites])

    told = {limit: newest(stack, campaign_id, referrer, limit) for limit in (1, 2, 50)}

    assert sorted(each.referred_id for each in told[50]) == sorted(each["id"] for each in friends)
    assert {each.email for each in told[50]} == {each["email"] for each in friends}
    assert {each.first_name for each in told[50]} == {f"Friend {number}" for number in range(3)}
    assert told[1] == told[50][:1]
    assert told[2] == told[50][:2]


@pytest.mark.parametrize("calls", [2, 3, 4])
def test_a_credit_and_a_new_name_at_the_same_time_are_both_kept(
    stack: Stack, api: Api, campaign_id: str, calls: int
) -> None:
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)["id"]

    with interrupted(
        stack, "UpdateParticipantFunction", calls, lambda: api.trigger(campaign_id, friend)
    ):
        api.update(campaign_id, friend, firstName="Nelson")

    row = referral(stack, campaign_id, referrer, friend)
    assert (row.status, row.first_name) == ("CREDIT_AWARDED", "Nelson")
    assert api.read(campaign_id, referrer)["referralCount"] == 1


@pytest.mark.parametrize("calls", [2, 3, 4])
def test_a_new_name_while_the_referrer_leaves_is_the_friend_s_alone(
    fresh_stack: Stack, calls: int
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        referrer = api.add(campaign_id)["id"]
        friend = api.add(campaign_id, referredBy=referrer)["id"]

        def leave() -> None:
            api.delete(campaign_id, referrer)
            erase(api)

        with interrupted(fresh_stack, "UpdateParticipantFunction", calls, leave):
            api.update(campaign_id, friend, firstName="Nelson")

        after = api.read(campaign_id, friend)
        assert (after["firstName"], after["referralSource"]) == ("Nelson", "DELETED_PARTICIPANT")
        page = api.ok("GET", f"/v2/campaign/{campaign_id}/referrals")
        assert page["referrals"] == []
