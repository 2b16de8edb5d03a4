"""An invite goes away when its address joins through the one who sent it, and when they leave."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.stack import Stack
from tests.api import Api, Json, unique_email
from tests.invariants import of_type, table_of
from tests.scenarios import erase, interrupted, invited, sends_invites

Join = Callable[[Api, str, str, str], Json]


def by_add(api: Api, campaign_id: str, referrer: str, email: str) -> Json:
    return api.add(campaign_id, email, referredBy=referrer)


def by_referrer(api: Api, campaign_id: str, referrer: str, email: str) -> Json:
    return api.update(campaign_id, api.add(campaign_id, email)["id"], referredBy=referrer)


def by_email(api: Api, campaign_id: str, referrer: str, email: str) -> Json:
    friend = api.add(campaign_id, referredBy=referrer)["id"]
    return api.update(campaign_id, friend, email=email)


JOINS = [pytest.param(join, id=join.__name__) for join in (by_add, by_referrer, by_email)]


@pytest.fixture
def campaign_id(stack: Stack, api: Api) -> str:
    made = api.campaign()
    sends_invites(stack, made)
    return made


def rows(api: Api, campaign_id: str) -> dict[str, Json]:
    page = api.ok("GET", f"/v2/campaign/{campaign_id}/referrals", params={"limit": 100})
    return {row["id"]: row for row in page["referrals"]}


@pytest.mark.parametrize("join", JOINS)
def test_an_invited_address_that_joins_is_a_referral_instead(
    stack: Stack, api: Api, campaign_id: str, join: Join
) -> None:
    referrer = api.add(campaign_id)["id"]
    email, other = unique_email("Richard"), unique_email()
    answered, unanswered = invited(stack, campaign_id, referrer, email, other)
    before = rows(api, campaign_id)

    friend = join(api, campaign_id, referrer, email.upper())

    after = rows(api, campaign_id)
    assert before.keys() == {answered, unanswered}
    assert {row["email"] for row in before.values()} == {"*" * 15}
    assert after.keys() == {unanswered, friend["id"]}
    assert after[friend["id"]]["email"] == friend["email"]
    assert after[friend["id"]]["referralStatus"] == "CREDIT_PENDING"


@pytest.mark.parametrize("join", JOINS)
def test_joining_through_somebody_else_leaves_the_invite_unanswered(
    stack: Stack, api: Api, campaign_id: str, join: Join
) -> None:
    inviter, referrer = (api.add(campaign_id)["id"] for _ in range(2))
    email = unique_email()
    [invite] = invited(stack, campaign_id, inviter, email)

    friend = join(api, campaign_id, referrer, email)

    assert rows(api, campaign_id).keys() == {invite, friend["id"]}


@pytest.mark.parametrize("is_first", [True, False])
def test_an_invite_that_is_sent_while_its_address_joins_goes_away_too(
    stack: Stack, api: Api, campaign_id: str, is_first: bool
) -> None:
    referrer = api.add(campaign_id)["id"]
    if not is_first:
        invited(stack, campaign_id, referrer, unique_email())
    email = unique_email()
    kept = rows(api, campaign_id).keys()

    sent: list[str] = []
    with interrupted(
        stack,
        "AddParticipantFunction",
        6,  # after the last read, before the transaction
        lambda: sent.extend(invited(stack, campaign_id, referrer, email)),
    ):
        friend = api.add(campaign_id, email, referredBy=referrer)["id"]

    assert len(sent) == 1
    assert rows(api, campaign_id).keys() == {*kept, friend}


def test_the_invites_of_somebody_who_is_deleted_are_erased(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        referrer, other = (api.add(campaign_id)["id"] for _ in range(2))
        addresses = [unique_email() for _ in range(3)]
        sent = invited(fresh_stack, campaign_id, referrer, *addresses)
        others = invited(fresh_stack, campaign_id, other, *addresses)
        before = rows(api, campaign_id).keys()

        api.delete(campaign_id, referrer)
        erase(api)

        left = of_type(table_of(fresh_stack).values(), "Invite")
        assert before == {*sent, *others}
        assert rows(api, campaign_id).keys() == {*others}
        assert {item["referrerId"] for item in left} == {other}


def test_a_campaign_that_sends_no_e_mails_pays_nothing_for_invites(
    stack: Stack, api: Api, campaign_id: str
) -> None:
    without = api.campaign()
    cost: dict[str, list[str]] = {}

    for each in (without, campaign_id):
        referrer = api.add(each)["id"]
        body = {"email": unique_email(), "referredBy": referrer}
        answer = api.call("POST", f"/v2/campaign/{each}/participant", body)
        cost[each] = [answer.headers[f"x-local-{what}"] for what in ("calls", "write-units")]

    assert float(cost[campaign_id][1]) == float(cost[without][1]) + 2
    assert int(cost[campaign_id][0]) == int(cost[without][0]) + 1
