from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api, unique_email
from tests.refusals import refusal, refused_fields
from tests.scenarios import drain


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign(installation={"shareUrl": "https://example.com/join"})


def try_to_update(api: Api, campaign_id: str, participant: str, **changes: Any) -> Any:
    return api.call("POST", f"/v2/campaign/{campaign_id}/participant/{participant}", changes)


def refused(api: Api, campaign_id: str, participant: str, **changes: Any) -> list[str]:
    """The fields that an update is refused for; it has changed nothing."""
    before = api.read(campaign_id, participant)
    response = try_to_update(api, campaign_id, participant, **changes)
    fields = refused_fields(response)
    assert api.read(campaign_id, participant) == before
    return fields


# Plain fields


@pytest.mark.parametrize(
    "changes",
    [
        {"firstName": "New"},
        {"lastName": "New"},
        {"firstName": None},
        {"lastName": ""},
        {"notes": "first line\nsecond line\twith a tab"},
        {"notes": "n" * 500},
        {"notes": None},
        {"unsubscribed": True},
    ],
)
def test_a_plain_field_changes_and_the_others_stay(
    api: Api, campaign_id: str, changes: dict[str, Any]
) -> None:
    before = api.add(campaign_id, firstName="Gavin", lastName="Old", metadata={"a": "1"})

    updated = api.update(campaign_id, before["id"], **changes)

    assert updated == {name: value for name, value in before.items() if name != "isNew"} | changes
    assert api.read(campaign_id, before["id"]) == updated


def test_a_paypal_address_is_accepted_for_older_clients(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id)

    updated = api.update(campaign_id, added["id"], paypalEmail="pay@example.com")

    assert updated["paypalEmailAddress"] == "pay@example.com"


def test_a_new_first_name_leaves_the_vanity_key(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Gavin")

    updated = api.update(campaign_id, added["id"], firstName="Other")

    assert updated["vanityKeys"] == added["vanityKeys"]


@pytest.mark.parametrize("body", [{}, None])
def test_an_empty_update_changes_and_writes_nothing(
    api: Api, campaign_id: str, body: dict[str, Any] | None
) -> None:
    added = api.add(campaign_id)

    response = api.call("POST", f"/v2/campaign/{campaign_id}/participant/{added['id']}", body)

    assert response.status_code == 200
    assert response.json() == api.read(campaign_id, added["id"])
    assert response.headers["x-local-write-units"] == "0"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "abc123"},
        {"referralCount": 5},
        {"monthlyReferralCount": 5},
        {"rank": 1},
        {"isAffiliate": True},
        {"fraudRiskLevel": "LOW"},
        {"createdAt": 1},
        {"shareUrl": "https://example.com"},
        {"ipAddress": "203.0.113.1"},
        {"rewards": []},
        {"unheardOf": 1},
        {"firstName": "x" * 256},
        {"firstName": "a\x00b"},
        {"firstName": 5},
        {"notes": "n" * 501},
        {"notes": "bell\x07"},
        {"unsubscribed": "perhaps"},
        {"unsubscribed": None},
        {"email": "nobody"},
        {"email": ""},
        {"email": None},
        {"referralStatus": "INVITE_SENT"},
        {"referralStatus": None},
        {"referredBy": ""},
        {"referredBy": None},
        {"referredBy": "x" * 101},
        {"vanityKeys": "text"},
        {"vanityKeys": None},
        {"metadata": "text"},
    ],
)
def test_what_cannot_be_updated_is_refused_by_name(
    api: Api, campaign_id: str, changes: dict[str, Any]
) -> None:
    added = api.add(campaign_id)

    assert refused(api, campaign_id, added["id"], **changes) == list(changes)


def test_one_wrong_field_stops_the_right_ones(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id)

    assert refused(api, campaign_id, added["id"], firstName="Fine", rank=1) == ["rank"]


@pytest.mark.parametrize("participant", ["zzzzzz", "nobody@example.com"])
def test_an_unknown_participant_cannot_be_updated(
    api: Api, campaign_id: str, participant: str
) -> None:
    refusal(try_to_update(api, campaign_id, participant, firstName="X"), 400)


# E-mail


def test_a_new_email_finds_the_participant_and_frees_the_old_one(
    api: Api, campaign_id: str
) -> None:
    old, new = unique_email("old"), unique_email("new")
    added = api.add(campaign_id, old)

    api.update(campaign_id, old, email=new)

    assert api.read(campaign_id, new)["id"] == added["id"]
    refusal(api.call("GET", f"/v2/campaign/{campaign_id}/participant/{old}"), 400)
    newcomer = api.add(campaign_id, old)
    assert newcomer["isNew"]
    assert newcomer["id"] != added["id"]


def test_an_email_may_change_its_case(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, "case@example.com")

    updated = api.update(campaign_id, added["id"], email="Case@Example.com")

    assert updated["email"] == "Case@Example.com"
    assert api.read(campaign_id, "case@example.com")["id"] == added["id"]


def test_the_email_of_another_participant_is_refused(api: Api, campaign_id: str) -> None:
    taken = api.add(campaign_id, "taken@example.com")
    added = api.add(campaign_id)

    assert refused(api, campaign_id, added["id"], email="TAKEN@example.com") == ["email"]
    assert api.read(campaign_id, "taken@example.com")["id"] == taken["id"]


def test_two_participants_can_swap_emails_by_way_of_a_third(api: Api, campaign_id: str) -> None:
    one, two = api.add(campaign_id, "one@example.com"), api.add(campaign_id, "two@example.com")

    api.update(campaign_id, one["id"], email="between@example.com")
    api.update(campaign_id, two["id"], email="one@example.com")
    api.update(campaign_id, one["id"], email="two@example.com")

    assert api.read(campaign_id, "one@example.com")["id"] == two["id"]
    assert api.read(campaign_id, "two@example.com")["id"] == one["id"]


# Metadata


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"c": 3}, {"a": "1", "b": 2, "c": 3}),
        ({"a": "9"}, {"a": "9", "b": 2}),
        ({"a": None}, {"b": 2}),
        ({"a": None, "c": True}, {"b": 2, "c": True}),
        ({"never there": None}, {"a": "1", "b": 2}),
        ({}, {"a": "1", "b": 2}),
        ({"B": 5}, {"a": "1", "b": 5}),
        (None, {}),
    ],
)
def test_metadata_is_merged_and_null_removes(
    api: Api, campaign_id: str, change: dict[str, Any] | None, after: dict[str, Any]
) -> None:
    added = api.add(campaign_id, metadata={"a": "1", "b": 2})

    updated = api.update(campaign_id, added["id"], metadata=change)

    assert updated["metadata"] == after
    assert api.read(campaign_id, added["id"])["metadata"] == after


@pytest.mark.parametrize(
    "change",
    [
        {"a": {}},
        {"a": []},
        {"a.b": 1},
        {"gdprAgreements": 1},
        {"": 1},
        {"a": "x" * 501},
        {"a": 2**53 + 1},
        {"a b": 1, "a_b": 2},
        [],
    ],
)
def test_metadata_that_breaks_a_rule_is_refused(api: Api, campaign_id: str, change: object) -> None:
    added = api.add(campaign_id, metadata={"a": "1"})

    assert refused(api, campaign_id, added["id"], metadata=change) == ["metadata"]


def test_metadata_never_grows_beyond_fifty_keys(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, metadata={f"k{number}": number for number in range(50)})

    assert refused(api, campaign_id, added["id"], metadata={"more": 1}) == ["metadata"]
    swapped = api.update(campaign_id, added["id"], metadata={"more": 1, "k0": None})
    assert len(swapped["metadata"]) == 50


def test_forty_values_may_change_together_with_everything_else(api: Api, campaign_id: str) -> None:
    referrer = api.add(campaign_id)
    added = api.add(
        campaign_id, firstName="Gavin", metadata={f"k{number}": "old" for number in range(40)}
    )
    metadata = {f"k{number}": "new" for number in range(40)}

    updated = api.update(
        campaign_id,
        added["id"],
        email=unique_email(),
        metadata=metadata,
        vanityKeys=["v1", "v2", "v3", "v4", "v5"],
        referredBy=referrer["id"],
        referralStatus="CREDIT_AWARDED",
    )

    assert updated["metadata"] == metadata
    assert updated["referrer"]["referralCount"] == 1
    found = api.page(campaign_id, **{"metadata[k7]": "new"})["participants"]
    assert [one["id"] for one in found] == [added["id"]]
    assert api.page(campaign_id, **{"metadata[k7]": "old"})["participants"] == []


def test_more_changes_than_fit_one_transaction_are_refused_with_advice(
    api: Api, campaign_id: str
) -> None:
    added = api.add(campaign_id, metadata={f"k{number}": "old" for number in range(50)})
    metadata = {f"k{number}": "new" for number in range(50)}

    assert refused(api, campaign_id, added["id"], metadata=metadata) == ["metadata"]
    for half in (range(25), range(25, 50)):
        api.update(campaign_id, added["id"], metadata={f"k{number}": "new" for number in half})
    assert api.read(campaign_id, added["id"])["metadata"] == metadata


# Vanity keys


def test_vanity_keys_replace_the_old_ones_which_stop_working(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Gavin")
    [generated] = added["vanityKeys"]

    updated = api.update(campaign_id, added["id"], vanityKeys=["Summer-Deal", "other_1"])

    assert updated["vanityKeys"] == ["Summer-Deal", "other_1"]
    assert updated["shareUrl"] == "https://example.com/join?grsf=Summer-Deal"
    assert api.add(campaign_id, referredBy="summer-deal")["referredBy"] == added["id"]
    assert api.add(campaign_id, referredBy="OTHER_1")["referredBy"] == added["id"]
    assert api.add(campaign_id, referredBy=generated)["referralSource"] == "DIRECT"


def test_without_vanity_keys_the_id_stands_in_the_share_link(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Gavin")

    updated = api.update(campaign_id, added["id"], vanityKeys=[])

    assert updated["vanityKeys"] == []
    assert updated["shareUrl"] == f"https://example.com/join?grsf={added['id']}"
    assert api.add(campaign_id, referredBy=added["id"])["referredBy"] == added["id"]


@pytest.mark.parametrize(
    ("vanity_keys", "wrong"),
    [
        ([""], "vanityKeys.0"),
        (["x" * 21], "vanityKeys.0"),
        (["ok", "a b"], "vanityKeys.1"),
        (["a#b"], "vanityKeys.0"),
        (["a/b"], "vanityKeys.0"),
        (["é"], "vanityKeys.0"),
        (["a\n"], "vanityKeys.0"),
        ([5], "vanityKeys.0"),
        ([None], "vanityKeys.0"),
        (["a", "b", "c", "d", "e", "f"], "vanityKeys"),
    ],
)
def test_a_wrong_vanity_key_is_refused(
    api: Api, campaign_id: str, vanity_keys: list[Any], wrong: str
) -> None:
    added = api.add(campaign_id)

    assert refused(api, campaign_id, added["id"], vanityKeys=vanity_keys) == [wrong]


def test_ids_and_vanity_keys_of_others_are_taken_in_any_case(api: Api, campaign_id: str) -> None:
    other = api.add(campaign_id, firstName="Gavin")
    added = api.add(campaign_id)

    for taken in (other["id"], other["id"].upper(), *other["vanityKeys"]):
        changes = {"vanityKeys": ["free", taken]}
        assert refused(api, campaign_id, added["id"], **changes) == ["vanityKeys"]


def test_a_refused_set_of_keys_does_not_hold_the_free_ones(api: Api, campaign_id: str) -> None:
    other, added = api.add(campaign_id), api.add(campaign_id)
    refused(api, campaign_id, added["id"], vanityKeys=["free", other["id"]])

    updated = api.update(campaign_id, other["id"], vanityKeys=["free"])

    assert updated["vanityKeys"] == ["free"]


def test_ones_own_id_may_be_a_vanity_key(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id)

    updated = api.update(campaign_id, added["id"], vanityKeys=[added["id"]])
    without = api.update(campaign_id, added["id"], vanityKeys=[])

    assert updated["vanityKeys"] == [added["id"]]
    assert without["vanityKeys"] == []
    assert api.add(campaign_id, referredBy=added["id"])["referredBy"] == added["id"]


def test_a_vanity_key_is_not_a_name_in_a_path(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Gavin")
    [vanity_key] = added["vanityKeys"]

    refusal(api.call("GET", f"/v2/campaign/{campaign_id}/participant/{vanity_key}"), 400)


def test_a_vanity_key_is_free_in_another_campaign(api: Api, campaign_id: str) -> None:
    other = api.campaign()
    api.update(campaign_id, api.add(campaign_id)["id"], vanityKeys=["same"])

    updated = api.update(other, api.add(other)["id"], vanityKeys=["same"])

    assert updated["vanityKeys"] == ["same"]


# A referrer


@pytest.mark.parametrize("name", ["id", "email", "vanity key"])
def test_a_referrer_can_be_given_later(api: Api, campaign_id: str, name: str) -> None:
    referrer = api.add(campaign_id, firstName="Gavin")
    friend = api.add(campaign_id)
    names = {**referrer, "vanity key": referrer["vanityKeys"][0]}

    updated = api.update(campaign_id, friend["id"], referredBy=names[name])

    assert updated["referralSource"] == "PARTICIPANT"
    assert updated["referredBy"] == updated["referrer"]["id"] == referrer["id"]
    assert updated["referralStatus"] == "CREDIT_PENDING"
    assert api.read(campaign_id, referrer["id"])["referralCount"] == 0


def test_a_referrer_given_later_is_credited_where_signup_is_enough(api: Api) -> None:
    campaign_id = api.campaign(installation={"referralTrigger": "ON_SIGNUP"})
    referrer, friend = api.add(campaign_id), api.add(campaign_id)

    updated = api.update(campaign_id, friend["id"], referredBy=referrer["id"])

    assert updated["referralStatus"] == "CREDIT_AWARDED"
    assert updated["referrer"]["referralCount"] == 1


def test_a_referrer_and_the_credit_can_come_in_one_update(api: Api, campaign_id: str) -> None:
    referrer, friend = api.add(campaign_id), api.add(campaign_id)

    api.update(
        campaign_id, friend["id"], referredBy=referrer["id"], referralStatus="CREDIT_AWARDED"
    )
    drain(api)

    assert api.read(campaign_id, referrer["id"])["referrals"] == [friend["id"]]
    assert api.read_campaign(campaign_id)["referralCount"] == 1


@pytest.mark.parametrize("status", ["CREDIT_PENDING", "CREDIT_AWARDED"])
def test_a_referrer_cannot_be_replaced(api: Api, campaign_id: str, status: str) -> None:
    referrer, other = api.add(campaign_id), api.add(campaign_id)
    friend = api.add(campaign_id, referredBy=referrer["id"], referralStatus=status)

    for name in (other["id"], referrer["id"]):
        assert refused(api, campaign_id, friend["id"], referredBy=name) == ["referredBy"]
    assert api.read(campaign_id, other["id"])["referralCount"] == 0


@pytest.mark.parametrize("name", ["zzzzzz", "nobody@example.com", "#", "no-such-key"])
def test_an_unknown_referrer_is_refused(api: Api, campaign_id: str, name: str) -> None:
    friend = api.add(campaign_id)

    assert refused(api, campaign_id, friend["id"], referredBy=name) == ["referredBy"]


def test_nobody_refers_themselves(api: Api, campaign_id: str) -> None:
    added = api.add(campaign_id, firstName="Gavin")

    for name in (added["id"], added["email"], added["vanityKeys"][0]):
        assert refused(api, campaign_id, added["id"], referredBy=name) == ["referredBy"]


@pytest.mark.parametrize("status", ["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"])
def test_a_status_needs_a_referrer(api: Api, campaign_id: str, status: str) -> None:
    added = api.add(campaign_id)

    assert refused(api, campaign_id, added["id"], referralStatus=status) == ["referralStatus"]


def test_two_can_refer_each_other(api: Api, campaign_id: str) -> None:
    one = api.add(campaign_id)
    two = api.add(campaign_id, referredBy=one["id"], referralStatus="CREDIT_AWARDED")

    updated = api.update(
        campaign_id, one["id"], referredBy=two["id"], referralStatus="CREDIT_AWARDED"
    )

    assert updated["referralCount"] == updated["referrer"]["referralCount"] == 1
