from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from grapevine.table import store
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import Write
from local.stack import Stack
from tests.api import Api, unique_email
from tests.refusals import refused_fields
from tests.scenarios import drain

AT_SIGNUP = {"referralTrigger": "ON_SIGNUP"}
CUSTOM = {"referralTrigger": "CUSTOM"}


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign(installation={"shareUrl": "https://example.com/join"})


def try_to_add(api: Api, campaign_id: str, **fields: Any) -> Any:
    body = {"email": unique_email(), **fields}
    return api.call("POST", f"/v2/campaign/{campaign_id}/participant", body)


# Who is new


def test_a_fresh_participant_stands_at_zero_and_last(api: Api, campaign_id: str) -> None:
    api.add(campaign_id)
    api.add(campaign_id)

    added = api.add(campaign_id, "third@example.com")

    assert added["isNew"] is True
    assert re.fullmatch("[a-z0-9]{6}", added["id"])
    zeros = (
        "referralCount",
        "monthlyReferralCount",
        "prevMonthlyReferralCount",
        "impressionCount",
        "uniqueImpressionCount",
        "inviteCount",
    )
    assert {added[name] for name in zeros} == {0}
    assert (added["rank"], added["monthlyRank"], added["prevMonthlyRank"]) == (3, 3, -1)
    assert added["referrals"] == added["monthlyReferrals"] == added["rewards"] == []
    assert added["referralSource"] == "DIRECT"
    assert added["referrer"] is None
    assert "referralStatus" not in added
    assert "referredBy" not in added
    assert added["metadata"] == {}
    assert (added["firstName"], added["lastName"]) == (None, None)
    assert set(added["shareCount"].values()) == {0}


def test_reading_answers_what_adding_answered_without_is_new(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Gavin", metadata={"plan": "pro"})

    read = api.read(campaign_id, added["id"])

    assert read == {name: value for name, value in added.items() if name != "isNew"}


@pytest.mark.parametrize(
    "again", ["same@example.com", "SAME@example.com", "  Same@Example.Com  ", "same@EXAMPLE.com"]
)
def test_a_known_email_answers_the_participant_unchanged(
    api: Api, campaign_id: str, again: str
) -> None:
    referrer = api.add(campaign_id)
    first = api.add(campaign_id, "same@example.com", firstName="First", metadata={"a": "1"})

    second = api.add(
        campaign_id,
        again,
        firstName="Second",
        lastName="Second",
        metadata={"b": "2"},
        referredBy=referrer["id"],
        referralStatus="CREDIT_AWARDED",
        ipAddress="203.0.113.9",
    )

    assert second == {**first, "isNew": False}
    assert api.read(campaign_id, referrer["id"])["referralCount"] == 0
    assert len(api.page(campaign_id)["participants"]) == 2


def test_adding_a_known_email_writes_nothing(api: Api, campaign_id: str) -> None:
    api.add(campaign_id, "known@example.com")

    response = try_to_add(api, campaign_id, email="known@example.com", firstName="Other")

    assert response.status_code == 200
    assert response.headers["x-local-write-units"] == "0"


def test_one_email_may_join_two_campaigns(api: Api, campaign_id: str) -> None:
    other = api.campaign()

    here, there = api.add(campaign_id, "both@example.com"), api.add(other, "both@example.com")

    assert here["isNew"]
    assert there["isNew"]
    assert api.read(other, "both@example.com")["id"] == there["id"]


@pytest.mark.parametrize(
    "email",
    [
        "a+b@example.com",
        "o'brien@example.com",
        "first.last@sub.example.co.uk",
        "x#y@example.com",
        "a/b@example.com",
        "%2F@example.com",
        "zoë@example.com",
        "用户@例え.jp",
        "a@xn--r8jz45g.jp",
        "UPPER@EXAMPLE.COM",
    ],
)
def test_unusual_addresses_are_kept_as_written_and_found_again(
    api: Api, campaign_id: str, email: str
) -> None:
    added = api.add(campaign_id, email)

    again = api.add(campaign_id, email)

    assert added["email"] == email
    assert (again["id"], again["isNew"]) == (added["id"], False)


@pytest.mark.parametrize(
    "email",
    [
        "",
        " ",
        "nobody",
        "@example.com",
        "a@",
        "a@b@example.com",
        "a b@example.com",
        "a@example..com",
        ".a@example.com",
        "a@-example.com",
        "a\n@example.com",
        "a\x00@example.com",
        "a@" + "x" * 250 + ".com",
        None,
        5,
        [],
        ["a@example.com"],
        {"a": 1},
        True,
    ],
)
def test_an_invalid_email_is_refused_and_nobody_joins(
    api: Api, campaign_id: str, email: object
) -> None:
    response = try_to_add(api, campaign_id, email=email)

    assert refused_fields(response) == ["email"]
    assert response.headers["x-local-write-units"] == "0"


def test_an_email_is_needed(api: Api, campaign_id: str) -> None:
    response = api.call("POST", f"/v2/campaign/{campaign_id}/participant", {"firstName": "X"})

    assert refused_fields(response) == ["email"]


@pytest.mark.parametrize(
    "fields",
    [
        {"firstName": "x" * 256},
        {"lastName": "x" * 256},
        {"firstName": "a\x07"},
        {"firstName": 5},
        {"lastName": {"a": 1}},
        {"ipAddress": "1" * 256},
        {"fingerprint": ["x"]},
        {"referredBy": ""},
        {"referredBy": "x" * 101},
        {"referredBy": 5},
        {"referralStatus": "CREDIT_EXPIRED"},
        {"referralStatus": "credit_awarded"},
        {"referralStatus": "INVITE_SENT"},
        {"metadata": "text"},
        {"metadata": ["a"]},
        {"metadata": {"a": {"b": 1}}},
        {"metadata": {"a": [1]}},
        {"metadata": {"gdprAgreements": "yes"}},
        {"metadata": {"a": "x" * 501}},
        {"metadata": {"k" * 41: 1}},
        {"metadata": {f"k{number}": 1 for number in range(51)}},
        {"metadata": {"a": 10**400}},
        {"referralCount": 5},
        {"id": "abc123"},
        {"isNew": True},
        {"vanityKeys": ["a"]},
        {"unheardOf": 1},
        {"__proto__": {}},
    ],
)
def test_a_wrong_field_is_named_and_nobody_joins(
    api: Api, campaign_id: str, fields: dict[str, Any]
) -> None:
    response = try_to_add(api, campaign_id, **fields)

    assert refused_fields(response) == list(fields)
    assert response.headers["x-local-write-units"] == "0"


def test_several_wrong_fields_are_all_named(api: Api, campaign_id: str) -> None:
    response = try_to_add(api, campaign_id, email="x", firstName=1, unheardOf=2)

    assert set(refused_fields(response)) == {"email", "firstName", "unheardOf"}


def test_null_means_that_nothing_is_said(api: Api, campaign_id: str) -> None:
    nothing = dict.fromkeys(
        ("firstName", "lastName", "referredBy", "referralStatus", "metadata", "ipAddress")
    )

    added = api.add(campaign_id, **nothing)

    assert added["isNew"]
    assert added["metadata"] == {}


# Who referred


@pytest.mark.parametrize(
    "name", ["id", "email", "email in capitals", "vanity key", "vanity key in capitals"]
)
def test_a_referrer_is_found_by_every_name(api: Api, campaign_id: str, name: str) -> None:
    referrer = api.add(campaign_id, "gavin+x@example.com", firstName="Gavin")
    [vanity_key] = referrer["vanityKeys"]
    names = {
        "id": referrer["id"],
        "email": "gavin+x@example.com",
        "email in capitals": "GAVIN+X@EXAMPLE.COM",
        "vanity key": vanity_key,
        "vanity key in capitals": vanity_key.upper(),
    }

    friend = api.add(campaign_id, referredBy=names[name])

    assert friend["referralSource"] == "PARTICIPANT"
    assert friend["referredBy"] == friend["referrer"]["id"] == referrer["id"]
    assert friend["referrer"]["email"] == "gavin+x@example.com"
    assert not {"referrer", "rewards", "vanityKeys"} & friend["referrer"].keys()


@pytest.mark.parametrize(
    "name", ["zzzzzz", "nobody@example.com", "no-such-key", "a b", "#", "é", "x" * 100, "@", "%00"]
)
def test_an_unknown_referrer_makes_a_direct_participant(
    api: Api, campaign_id: str, name: str
) -> None:
    added = api.add(campaign_id, referredBy=name, referralStatus="CREDIT_AWARDED")

    assert added["referralSource"] == "DIRECT"
    assert added["referrer"] is None
    assert "referralStatus" not in added


def test_a_participant_of_another_campaign_refers_nobody_here(api: Api, campaign_id: str) -> None:
    elsewhere = api.add(api.campaign(), firstName="Gavin")

    for name in (elsewhere["id"], elsewhere["email"], elsewhere["vanityKeys"][0]):
        assert api.add(campaign_id, referredBy=name)["referralSource"] == "DIRECT"


def test_nobody_refers_themselves_by_the_email_they_join_with(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, "self@example.com", referredBy="self@example.com")

    assert added["referralSource"] == "DIRECT"


def test_a_deleted_participant_refers_nobody(api: Api, campaign_id: str) -> None:
    gone = api.add(campaign_id)
    api.delete(campaign_id, gone["id"])

    assert api.add(campaign_id, referredBy=gone["id"])["referralSource"] == "DIRECT"


def test_a_status_without_a_referrer_is_ignored(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, referralStatus="CREDIT_AWARDED")

    assert "referralStatus" not in added


@pytest.mark.parametrize(
    ("installation", "live", "sent", "status"),
    [
        (AT_SIGNUP, True, None, "CREDIT_AWARDED"),
        (AT_SIGNUP, True, "CREDIT_PENDING", "CREDIT_PENDING"),
        (AT_SIGNUP, True, "CREDIT_AWARDED", "CREDIT_AWARDED"),
        (CUSTOM, True, None, "CREDIT_PENDING"),
        (CUSTOM, True, "CREDIT_PENDING", "CREDIT_PENDING"),
        (CUSTOM, True, "CREDIT_AWARDED", "CREDIT_AWARDED"),
        (AT_SIGNUP, False, None, "CREDIT_PENDING"),
        (AT_SIGNUP, False, "CREDIT_AWARDED", "CREDIT_PENDING"),
        (CUSTOM, False, "CREDIT_AWARDED", "CREDIT_PENDING"),
    ],
)
def test_the_status_comes_from_the_body_else_from_the_trigger(
    api: Api, installation: dict[str, Any], live: bool, sent: str | None, status: str
) -> None:
    campaign_id = api.campaign(live=live, installation=installation)
    referrer = api.add(campaign_id)
    body = {"referralStatus": sent} if sent else {}

    friend = api.add(campaign_id, referredBy=referrer["id"], **body)
    drain(api)

    count = 1 if status == "CREDIT_AWARDED" else 0
    assert friend["referralStatus"] == status
    assert friend["referrer"]["referralCount"] == count
    after = api.read(campaign_id, referrer["id"])
    assert after["referralCount"] == after["monthlyReferralCount"] == count
    assert after["referrals"] == after["monthlyReferrals"] == [friend["id"]][:count]
    assert api.read_campaign(campaign_id)["referralCount"] == count


def test_a_campaign_that_has_ended_takes_participants_and_credits_nobody(api: Api) -> None:
    campaign_id = api.campaign(installation=AT_SIGNUP)
    referrer = api.add(campaign_id)
    api.set_status(campaign_id, "COMPLETE")

    friend = api.add(campaign_id, referredBy=referrer["id"])

    assert friend["isNew"]
    assert friend["referralStatus"] == "CREDIT_PENDING"
    assert api.read(campaign_id, referrer["id"])["referralCount"] == 0


# Share links


def test_a_first_name_gives_a_vanity_key_and_a_share_link(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Mary Ann")

    assert added["vanityKeys"] == [f"maryann-{added['id']}"]
    assert added["shareUrl"] == f"https://example.com/join?grsf=maryann-{added['id']}"


@pytest.mark.parametrize("first_name", [None, "", "田中", "!!!"])
def test_without_a_usable_first_name_the_id_stands_in_the_share_link(
    api: Api, campaign_id: str, first_name: str | None
) -> None:
    added = api.add(campaign_id, firstName=first_name)

    assert added["vanityKeys"] == []
    assert added["shareUrl"] == f"https://example.com/join?grsf={added['id']}"


def test_a_share_page_with_a_query_keeps_it(api: Api) -> None:
    campaign_id = api.campaign(installation={"shareUrl": "https://example.com/?ref=1&x=#top"})

    added = api.add(campaign_id)

    assert added["shareUrl"] == f"https://example.com/?ref=1&x=&grsf={added['id']}#top"


def test_a_new_share_page_changes_the_links_of_everybody(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id)

    api.ok(
        "PATCH", f"/v2/campaign/{campaign_id}/installation", {"shareUrl": "https://new.example/"}
    )

    read = api.read(campaign_id, added["id"])
    assert read["shareUrl"] == f"https://new.example/?grsf={added['id']}"


# What is kept


def test_signals_are_kept(api: Api, campaign_id: str) -> None:
    signals = {"ipAddress": "2001:db8::1", "fingerprint": "fp", "mobileInstanceId": "mi"}

    added = api.add(campaign_id, **signals)

    assert added.items() >= signals.items()


def test_signals_are_not_stored_anywhere_where_gdpr_is_enforced(
    fresh_stack: Stack,
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(options={"enforceGdprCompliance": True})

        added = api.add(
            campaign_id,
            ipAddress="203.0.113.77",
            fingerprint="secret-fingerprint",
            mobileInstanceId="secret-instance",
        )

    for signal in ("ipAddress", "fingerprint", "mobileInstanceId"):
        assert added[signal] is None
    pages = fresh_stack.dynamodb.get_paginator("scan").paginate(TableName=fresh_stack.table_name)
    stored = str([item for page in pages for item in page["Items"]])
    assert added["email"] in stored
    for signal in ("203.0.113.77", "secret-fingerprint", "secret-instance"):
        assert signal not in stored


def test_metadata_is_kept_as_sent_under_camel_case_keys(api: Api, campaign_id: str) -> None:
    added = api.add(
        campaign_id,
        metadata={
            "My Metadata Key": "text",
            "spx_user_id": 10_000,
            "ratio": 0.25,
            "zero": 0,
            "yes": True,
            "empty": "",
            "gone": None,
            "emoji": "😀",
        },
    )

    assert added["metadata"] == {
        "myMetadataKey": "text",
        "spxUserId": 10_000,
        "ratio": 0.25,
        "zero": 0,
        "yes": True,
        "empty": "",
        "emoji": "😀",
    }
    assert api.read(campaign_id, added["id"])["metadata"] == added["metadata"]


def test_the_most_that_may_be_said_of_a_participant_fits(api: Api, campaign_id: str) -> None:
    referrer = api.add(campaign_id)
    metadata = {f"key{number}": "✓" * 500 for number in range(50)}

    added = api.add(
        campaign_id,
        firstName="F" * 255,
        lastName="L" * 255,
        metadata=metadata,
        referredBy=referrer["id"],
        referralStatus="CREDIT_AWARDED",
        ipAddress="i" * 255,
        fingerprint="f" * 255,
        mobileInstanceId="m" * 255,
    )

    assert added["metadata"] == metadata
    assert added["referrer"]["referralCount"] == 1


def test_totals_count_everybody_who_joined(api: Api, campaign_id: str) -> None:
    for _ in range(3):
        api.add(campaign_id)
    api.add(campaign_id, "twice@example.com")
    api.add(campaign_id, "twice@example.com")

    drain(api)

    assert api.read_campaign(campaign_id)["participantCount"] == 4


def test_a_participant_whose_transaction_is_made_and_not_told_of_is_new_and_counted(
    api: Api, campaign_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB answers a repeated transaction so while the first is on its way."""
    transact = store.transact

    def unsure(writes: Sequence[Write]) -> None:
        monkeypatch.undo()
        transact(writes)
        raise TransactionCanceled(frozenset())

    monkeypatch.setattr(store, "transact", unsure)

    added = api.add(campaign_id)
    drain(api)

    assert added["isNew"]
    assert api.read_campaign(campaign_id)["participantCount"] == 1
