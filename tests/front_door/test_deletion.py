"""Deleting participants: what is gone at once, what the clean-up does later, what stays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests import invariants
from tests.api import Api, Json, unique_email
from tests.scenarios import drain, erase, friends_of, leap


@pytest.fixture
def api(fresh_stack: Stack) -> Iterator[Api]:
    """A client; after the test the table is checked, before and after the clean-up."""
    with Api(fresh_stack.url, fresh_stack.api_key) as client:
        yield client
        drain(client)
        invariants.check(fresh_stack)
        erase(client)
        invariants.check(fresh_stack)
        assert not invariants.waiting(fresh_stack)


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign()


def _everything_stored(stack: Stack) -> str:
    return json.dumps(list(invariants.table_of(stack).values()), default=repr)


def _counts(api: Api, campaign_id: str) -> tuple[int, int]:
    drain(api)
    shown = api.read_campaign(campaign_id)
    return shown["participantCount"], shown["referralCount"]


@pytest.mark.parametrize("is_referred", [True, False])
def test_nothing_personal_is_left(
    fresh_stack: Stack, api: Api, campaign_id: str, is_referred: bool
) -> None:
    personal: Json = {
        "email": unique_email("erased"),
        "firstName": "Firstname",
        "lastName": "Lastname",
        "ipAddress": "192.0.2.77",
        "fingerprint": "print-of-a-finger",
        "mobileInstanceId": "instance-of-an-app",
        "metadata": {"colour": "mauve"},
    }
    referred = {"referredBy": api.add(campaign_id)["id"]} if is_referred else {}
    someone = api.add(campaign_id, **personal, **referred)
    api.update(campaign_id, someone["id"], notes="a-note", vanityKeys=["vain"])
    drain(api)

    api.delete(campaign_id, someone["id"])

    stored = _everything_stored(fresh_stack)
    values = [*personal.values(), "a-note", "vain", "mauve", *someone["vanityKeys"]]
    assert [value for value in values if isinstance(value, str) and value in stored] == []


@pytest.mark.parametrize("name", ["id", "email"])
def test_a_deleted_participant_is_unknown(api: Api, campaign_id: str, name: str) -> None:
    someone = api.add(campaign_id)
    path = f"/v2/campaign/{campaign_id}/participant/{someone[name]}"

    assert api.delete(campaign_id, someone[name]) == {"success": True}

    for method, end in (("GET", ""), ("POST", ""), ("DELETE", ""), ("POST", "/ref")):
        answer = api.call(method, path + end, {} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST_ERROR")
    assert api.page(campaign_id)["participants"] == []
    assert _counts(api, campaign_id) == (0, 0)


def test_the_email_can_join_again_as_somebody_new(api: Api, campaign_id: str) -> None:
    before = api.add(campaign_id, firstName="Ada", metadata={"plan": "pro"})
    api.update(campaign_id, before["id"], vanityKeys=["ada"])
    api.delete(campaign_id, before["id"])

    after = api.add(campaign_id, before["email"])

    assert (after["isNew"], after["metadata"], after["firstName"]) == (True, {}, None)
    assert after["id"] != before["id"]
    assert api.update(campaign_id, after["id"], vanityKeys=["Ada"])["vanityKeys"] == ["Ada"]
    taken = api.update(campaign_id, after["id"], vanityKeys=[before["id"]])
    assert taken["vanityKeys"] == [before["id"]]
    assert _counts(api, campaign_id) == (1, 0)


def test_friends_of_a_deleted_referrer_stay_without_one(
    fresh_stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    friends = friends_of(fresh_stack, campaign_id, referrer, 3)
    credited, delayed, _ = friends
    api.trigger(campaign_id, credited)
    api.trigger(campaign_id, delayed, delayInDays=1)

    api.delete(campaign_id, referrer)

    for wait in (lambda _: None, drain, erase):
        wait(api)
        rows = {row["id"]: row for row in api.page(campaign_id)["participants"]}
        assert rows.keys() == set(friends)
        for friend in friends:
            shown = api.read(campaign_id, friend)
            assert shown == rows[friend]
            assert shown["referralSource"] == "DELETED_PARTICIPANT"
            assert shown["referrer"] is None
            assert "referralStatus" not in shown
            assert "referredBy" not in shown
            assert not api.trigger(campaign_id, friend)["success"]
    assert _counts(api, campaign_id) == (3, 0)


@pytest.mark.parametrize("cleaned_up", [False, True])
def test_a_friend_of_a_deleted_referrer_can_get_another(
    fresh_stack: Stack, api: Api, campaign_id: str, *, cleaned_up: bool
) -> None:
    deleted, other = api.add(campaign_id)["id"], api.add(campaign_id)["id"]
    [friend] = friends_of(fresh_stack, campaign_id, deleted, 1)
    api.trigger(campaign_id, friend)
    api.delete(campaign_id, deleted)
    if cleaned_up:
        erase(api)

    api.update(campaign_id, friend, referredBy=other, referralStatus="CREDIT_AWARDED")

    erase(api)
    shown = api.read(campaign_id, friend)
    assert (shown["referralSource"], shown["referrer"]["id"]) == ("PARTICIPANT", other)
    assert api.read(campaign_id, other)["referrals"] == [friend]
    assert _counts(api, campaign_id) == (2, 1)


def test_a_delayed_credit_of_a_deleted_referrer_is_never_given(
    fresh_stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    [friend] = friends_of(fresh_stack, campaign_id, referrer, 1)
    api.trigger(campaign_id, friend, delayInDays=1)
    api.delete(campaign_id, referrer)

    leap(fresh_stack, fresh_stack.now_ms() + 2 * 86_400_000)
    drain(api)

    assert "referralStatus" not in api.read(campaign_id, friend)
    assert not invariants.waiting(fresh_stack)


def test_a_deleted_friend_takes_the_credit_along(
    fresh_stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    stays, leaves, pending = friends_of(fresh_stack, campaign_id, referrer, 3)
    api.trigger(campaign_id, stays)
    api.trigger(campaign_id, leaves)
    assert _counts(api, campaign_id) == (4, 2)

    api.delete(campaign_id, leaves)
    api.delete(campaign_id, pending)

    shown = api.read(campaign_id, referrer)
    assert (shown["referralCount"], shown["monthlyReferralCount"]) == (1, 1)
    assert (shown["referrals"], shown["monthlyReferrals"]) == ([stays], [stays])
    assert _counts(api, campaign_id) == (2, 1)


def test_a_friend_credited_last_month_is_taken_from_last_month(
    fresh_stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    early, late = friends_of(fresh_stack, campaign_id, referrer, 2)
    api.trigger(campaign_id, early)
    leap(fresh_stack, fresh_stack.now_ms() + 31 * 86_400_000)
    api.trigger(campaign_id, late)
    month = "monthlyReferralCount", "prevMonthlyReferralCount"
    assert [api.read(campaign_id, referrer)[name] for name in month] == [1, 1]

    api.delete(campaign_id, early)

    shown = api.read(campaign_id, referrer)
    assert [shown[name] for name in month] == [1, 0]
    assert shown["referralCount"] == 1


def test_everybody_behind_a_deleted_participant_moves_up(api: Api, campaign_id: str) -> None:
    first, second, third = (api.add(campaign_id)["id"] for _ in range(3))
    assert api.read(campaign_id, third)["rank"] == 3

    api.delete(campaign_id, second)
    drain(api)

    assert [api.read(campaign_id, one)["rank"] for one in (first, third)] == [1, 2]


def test_a_page_may_begin_at_a_deleted_participant(api: Api, campaign_id: str) -> None:
    oldest, middle, _ = (api.add(campaign_id)["id"] for _ in range(3))
    following = api.page(campaign_id, limit=1)["nextId"]
    assert following == middle

    api.delete(campaign_id, middle)

    page = api.page(campaign_id, limit=1, nextId=following)
    assert [row["id"] for row in page["participants"]] == [oldest]


@pytest.mark.both_engines
def test_a_referrer_of_many_is_erased_page_by_page(
    fresh_stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    friends = friends_of(fresh_stack, campaign_id, referrer, 250)

    api.delete(campaign_id, referrer)
    erase(api)

    stored = invariants.table_of(fresh_stack).values()
    assert not [item for item in stored if item["type"] == "Referral"]
    sources = [item["referralSource"] for item in stored if item["type"] == "Profile"]
    assert sources == ["DELETED_PARTICIPANT"] * len(friends)
    assert _counts(api, campaign_id) == (250, 0)


def test_a_bulk_deletion_says_what_became_of_every_row(
    fresh_stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer, by_id, by_email = (api.add(campaign_id) for _ in range(3))
    [friend] = friends_of(fresh_stack, campaign_id, referrer["id"], 1)
    api.trigger(campaign_id, friend)
    rows = [
        by_id["id"],
        by_email["email"].upper(),
        by_id["id"],
        by_id["email"],
        by_email["id"],
        "nobody",
        "nobody@example.com",
        friend,
    ]

    answer = api.ok(
        "POST", f"/v2/campaign/{campaign_id}/participants/bulk-delete", {"participants": rows}
    )

    assert answer["summary"] == {
        "total": 8,
        "deletedCount": 3,
        "notFoundCount": 2,
        "duplicateCount": 3,
        "errorCount": 0,
    }
    assert [(row["index"], row["identifier"]) for row in answer["results"]] == [*enumerate(rows)]
    statuses = [row["status"] for row in answer["results"]]
    assert statuses[:2] == ["DELETED"] * 2
    assert statuses[2:5] == ["DUPLICATE"] * 3
    assert statuses[5:] == ["NOT_FOUND", "NOT_FOUND", "DELETED"]
    for row in answer["results"]:
        assert ("email" in row) == (row["status"] == "DELETED")
        assert ("message" in row) == (row["status"] != "DELETED")
    assert answer["results"][1]["email"] == by_email["email"]
    assert answer["results"][3]["participantId"] == by_id["id"]
    assert api.read(campaign_id, referrer["id"])["referralCount"] == 0
    assert _counts(api, campaign_id) == (1, 0)


def test_a_bulk_deletion_of_a_referrer_with_the_friends_leaves_nobody(
    fresh_stack: Stack, api: Api, campaign_id: str
) -> None:
    referrer = api.add(campaign_id)["id"]
    friends = friends_of(fresh_stack, campaign_id, referrer, 5)
    for friend in friends:
        api.trigger(campaign_id, friend)

    answer = api.ok(
        "POST",
        f"/v2/campaign/{campaign_id}/participants/bulk-delete",
        {"participants": [*friends[:2], referrer, *friends[2:]]},
    )

    assert answer["summary"]["deletedCount"] == 6
    assert _counts(api, campaign_id) == (0, 0)
    erase(api)
    stored = invariants.table_of(fresh_stack).values()
    assert {item["type"] for item in stored} & {"Profile", "Referral", "EmailGuard"} == set()
