from __future__ import annotations

from typing import Any

import pytest

from local.stack import Stack
from tests.accounts import another_account
from tests.api import Api
from tests.refusals import refusal, refused_fields
from tests.scenarios import drain


def create(api: Api, **fields: Any) -> dict[str, Any]:
    return api.ok("POST", "/v2/campaigns", {"type": "REFERRAL", **fields})


def patch(api: Api, campaign_id: str, **fields: Any) -> Any:
    return api.call("PATCH", f"/v2/campaign/{campaign_id}", fields)


# Creating


def test_a_campaign_without_a_name_is_called_after_the_day(api: Api) -> None:
    created = create(api)

    assert created["name"].startswith("Referral Program 2")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"type": None}, "type"),
        ({"type": "referral"}, "type"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "line\nbreak"}, "name"),
        ({"name": 5}, "name"),
        ({"currencyISO": "usd"}, "currencyISO"),
        ({"currencyISO": "USDX"}, "currencyISO"),
        ({"companyLogoImageUrl": "ftp://example.com/x.png"}, "companyLogoImageUrl"),
        ({"companyLogoImageUrl": "javascript:alert(1)"}, "companyLogoImageUrl"),
        ({"goal": "WORLD_PEACE"}, "goal"),
        ({"status": "IN_PROGRESS"}, "status"),
        ({"participantCount": 5}, "participantCount"),
        ({"id": "abc123"}, "id"),
    ],
)
def test_a_wrong_field_is_named(api: Api, fields: dict[str, Any], wrong: str) -> None:
    response = api.call("POST", "/v2/campaigns", {"type": "REFERRAL", **fields})

    assert wrong in refused_fields(response)


def test_a_campaign_needs_a_type(api: Api) -> None:
    assert refused_fields(api.call("POST", "/v2/campaigns", {})) == ["type"]
    assert refused_fields(api.call("POST", "/v2/campaigns")) == ["type"]


def test_rewards_that_are_not_offered_are_not_silently_dropped(api: Api) -> None:
    response = api.call(
        "POST", "/v2/campaigns", {"type": "REFERRAL", "rewards": [{"type": "AFFILIATE"}]}
    )

    assert refused_fields(response) == ["rewards.0.type"]


def test_an_affiliate_program_is_refused_and_not_made(api: Api) -> None:
    before = api.ok("GET", "/v2/campaigns")

    response = api.call("POST", "/v2/campaigns", {"type": "AFFILIATE"})

    refusal(response, 422)
    assert api.ok("GET", "/v2/campaigns") == before


def test_a_name_of_255_characters_of_any_script_fits(api: Api) -> None:
    name = "名" * 255

    assert create(api, name=name)["name"] == name


# Statuses

PATHS = {
    "DRAFT": [],
    "IN_PROGRESS": ["IN_PROGRESS"],
    "COMPLETE": ["IN_PROGRESS", "COMPLETE"],
}


def campaign_in(api: Api, status: str) -> str:
    campaign_id: str = create(api)["id"]
    for step in PATHS[status]:
        api.set_status(campaign_id, step)
    return campaign_id


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DRAFT", "IN_PROGRESS"),
        ("IN_PROGRESS", "COMPLETE"),
        ("COMPLETE", "IN_PROGRESS"),
        ("IN_PROGRESS", "IN_PROGRESS"),
        ("COMPLETE", "COMPLETE"),
    ],
)
def test_a_campaign_moves_along_its_life(api: Api, before: str, after: str) -> None:
    campaign_id = campaign_in(api, before)

    moved = api.set_status(campaign_id, after)

    assert moved["status"] == after
    assert api.read_campaign(campaign_id)["status"] == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DRAFT", "COMPLETE"),
        *[
            (before, after)
            for before in PATHS
            for after in ("DRAFT", "PENDING", "CANCELLED", "DELETED", "in_progress", "", None, 1)
        ],
    ],
)
def test_every_other_move_is_refused_and_changes_nothing(
    api: Api, before: str, after: object
) -> None:
    campaign_id = campaign_in(api, before)

    response = patch(api, campaign_id, name="Changed", status=after)

    assert refused_fields(response) == ["status"]
    read = api.read_campaign(campaign_id)
    assert read["status"] == before
    assert read["name"] != "Changed"


# Changing


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "REFERRAL"},
        {"currencyISO": "EUR"},
        {"id": "abc123"},
        {"participantCount": 1},
        {"referralCount": 1},
        {"rewards": []},
        {"goal": "USERS"},
        {"name": None},
        {"name": ""},
        {"unheardOf": True},
    ],
)
def test_what_cannot_be_changed_is_refused(api: Api, fields: dict[str, Any]) -> None:
    created = create(api)

    response = patch(api, created["id"], companyName="Vine", **fields)

    assert refused_fields(response) == list(fields)
    assert api.read_campaign(created["id"]) == created


def test_a_change_of_nothing_writes_nothing(api: Api) -> None:
    created = create(api, name="Same")

    empty = patch(api, created["id"])
    same = patch(api, created["id"], name="Same")

    for response in (empty, same):
        assert response.status_code == 200
        assert response.json() == created
        assert response.headers["x-local-write-units"] == "0"


def test_a_company_name_can_be_taken_away(api: Api) -> None:
    created = create(api, companyName="Vine")

    response = patch(api, created["id"], companyName=None, companyLogoImageUrl=None)

    assert response.status_code == 200


@pytest.mark.parametrize("part", ["", "/options", "/installation", "/participants"])
def test_an_unknown_campaign_is_not_found(api: Api, part: str) -> None:
    refusal(api.call("GET", f"/v2/campaign/zzzzzz{part}"), 404)


# Cloning


def test_a_clone_has_the_configuration_and_nobody_in_it(api: Api) -> None:
    installation = {"referralTrigger": "ON_SIGNUP", "shareUrl": "https://example.com/x"}
    options = {"referralCreditWindowDays": 7, "enforceGdprCompliance": True}
    campaign_id = api.campaign(installation=installation, options=options)
    api.add(campaign_id)
    drain(api)

    cloned = api.ok("POST", f"/v2/campaign/{campaign_id}/clone")

    original = api.read_campaign(campaign_id)
    assert cloned["status"] == "DRAFT"
    assert (original["participantCount"], cloned["participantCount"]) == (1, 0)
    assert cloned["currencyISO"] == original["currencyISO"]
    assert original["name"] in cloned["name"]
    for part, sent in (("installation", installation), ("options", options)):
        copied = api.ok("GET", f"/v2/campaign/{cloned['id']}/{part}")
        assert copied == api.ok("GET", f"/v2/campaign/{campaign_id}/{part}")
        assert copied.items() >= sent.items()
    assert api.page(cloned["id"])["participants"] == []


def test_a_clone_and_its_original_go_their_own_ways(api: Api) -> None:
    campaign_id = api.campaign()
    cloned = api.ok("POST", f"/v2/campaign/{campaign_id}/clone")["id"]

    api.ok("PATCH", f"/v2/campaign/{cloned}/options", {"referralCreditWindowDays": 3})
    patch(api, cloned, name="The other one")

    options = api.ok("GET", f"/v2/campaign/{campaign_id}/options")
    assert options["referralCreditWindowDays"] is None
    assert api.read_campaign(campaign_id)["name"] != "The other one"


def test_an_ended_campaign_can_be_cloned_into_a_draft(api: Api) -> None:
    ended = campaign_in(api, "COMPLETE")

    assert api.ok("POST", f"/v2/campaign/{ended}/clone")["status"] == "DRAFT"


def test_the_longest_name_can_be_cloned(api: Api) -> None:
    created = create(api, name="n" * 255)

    assert len(api.ok("POST", f"/v2/campaign/{created['id']}/clone")["name"]) == 255


# Listing


def test_the_list_has_campaigns_of_every_status_and_of_no_other_account(
    stack: Stack, api: Api
) -> None:
    with another_account(stack) as other:
        mine = [campaign_in(other, status) for status in PATHS]

        listed = other.ok("GET", "/v2/campaigns")["campaigns"]

        assert [one["id"] for one in listed] == mine
        assert [one["status"] for one in listed] == list(PATHS)
    theirs = {one["id"] for one in api.ok("GET", "/v2/campaigns")["campaigns"]}
    assert not theirs & set(mine)


def test_the_list_of_a_new_account_is_empty(stack: Stack) -> None:
    with another_account(stack) as api:
        assert api.ok("GET", "/v2/campaigns") == {"campaigns": []}


def test_the_list_shows_what_each_campaign_shows(api: Api) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)
    api.add(campaign_id, referredBy=referrer["id"], referralStatus="CREDIT_AWARDED")
    drain(api)

    listed = {one["id"]: one for one in api.ok("GET", "/v2/campaigns")["campaigns"]}

    assert listed[campaign_id] == api.read_campaign(campaign_id)
    assert listed[campaign_id]["participantCount"] == 2
    assert listed[campaign_id]["referralCount"] == 1


def test_more_campaigns_than_one_batch_of_reads_are_all_listed(stack: Stack) -> None:
    with another_account(stack) as api:
        made = {create(api)["id"] for _ in range(60)}

        listed = [one["id"] for one in api.ok("GET", "/v2/campaigns")["campaigns"]]

    assert len(listed) == 60
    assert set(listed) == made
