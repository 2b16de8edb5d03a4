from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from grapevine import runtime
from grapevine.engine import access
from grapevine.engine.access import CAMPAIGN_CACHE_MS, Caller
from grapevine.errors import NotFound
from local.stack import Stack
from tests import invariants
from tests.accounts import another_account, new_account, new_key
from tests.api import Api, Json
from tests.refusals import refusal, refused_fields
from tests.scenarios import at_once

LONGEST = "s" * 63


def create(api: Api, slug: str | None, **fields: Any) -> Json:
    return api.ok("POST", "/v2/campaigns", {"type": "REFERRAL", "slug": slug, **fields})


def patch(api: Api, campaign_id: str, slug: str | None) -> Any:
    return api.call("PATCH", f"/v2/campaign/{campaign_id}", {"slug": slug})


@pytest.mark.parametrize("slug", ["a", "7", "summer-promo", "a--b", LONGEST])
def test_a_campaign_shows_the_slug_that_it_was_given(stack: Stack, slug: str) -> None:
    with another_account(stack) as api:
        created = create(api, slug)

        assert created["slug"] == slug
        assert api.read_campaign(created["id"]) == created
        assert api.ok("GET", "/v2/campaigns")["campaigns"] == [created]


def test_a_campaign_without_a_slug_shows_none(api: Api) -> None:
    assert "slug" not in create(api, None)
    assert "slug" not in api.ok("POST", "/v2/campaigns", {"type": "REFERRAL"})


@pytest.mark.parametrize(
    "slug", ["", "-a", "a-", "A", "ä", "a_b", "a b", "a/b", "a\n", "codes", LONGEST + "s", 5, ["a"]]
)
def test_what_cannot_stand_in_an_address_is_refused(api: Api, slug: Any) -> None:
    campaign_id = api.campaign(live=False)

    made = api.call("POST", "/v2/campaigns", {"type": "REFERRAL", "slug": slug})

    assert refused_fields(made) == ["slug"]
    assert refused_fields(patch(api, campaign_id, slug)) == ["slug"]
    assert "slug" not in api.read_campaign(campaign_id)


def test_a_slug_is_one_campaigns_of_an_account_and_another_accounts_too(stack: Stack) -> None:
    with another_account(stack) as api, another_account(stack) as other:
        create(api, "summer")
        second = api.campaign(live=False)

        for refused in (
            api.call("POST", "/v2/campaigns", {"type": "REFERRAL", "slug": "summer"}),
            patch(api, second, "summer"),
        ):
            assert refused_fields(refused) == ["slug"]
            assert "summer" in refusal(refused, 400)["message"]
        assert len(api.ok("GET", "/v2/campaigns")["campaigns"]) == 2
        assert create(other, "summer")["slug"] == "summer"
    invariants.check(stack, drained=False, dense=False)


def test_a_slug_that_was_changed_or_freed_is_there_for_others(stack: Stack) -> None:
    with another_account(stack) as api:
        first, second = create(api, "summer")["id"], api.campaign(live=False)

        assert patch(api, first, "winter").json()["slug"] == "winter"
        assert patch(api, second, "summer").json()["slug"] == "summer"
        assert "slug" not in patch(api, first, None).json()

        assert patch(api, second, "winter").json()["slug"] == "winter"
    invariants.check(stack, drained=False, dense=False)


def test_a_change_of_something_else_leaves_the_slug(stack: Stack) -> None:
    with another_account(stack) as api:
        campaign_id = create(api, "summer")["id"]

        changed = api.ok("PATCH", f"/v2/campaign/{campaign_id}", {"name": "Summer"})
        same = patch(api, campaign_id, "summer")

    assert changed["slug"] == "summer"
    assert (same.json(), same.headers["x-local-write-units"]) == (changed, "0")


def test_a_clone_has_no_slug(stack: Stack) -> None:
    with another_account(stack) as api:
        campaign_id = create(api, "summer")["id"]

        cloned = api.ok("POST", f"/v2/campaign/{campaign_id}/clone")

    assert "slug" not in cloned


@pytest.mark.both_engines
def test_of_many_who_want_a_slug_at_once_one_gets_it(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        waiting = [api.campaign(live=False) for _ in range(6)]
        body = {"type": "REFERRAL", "slug": "summer"}
        makes = [partial(_status, "POST", "/v2/campaigns", body) for _ in range(6)]
        changes = [
            partial(_status, "PATCH", f"/v2/campaign/{one}", {"slug": "summer"}) for one in waiting
        ]

        statuses = at_once(fresh_stack, [*makes, *changes])

        listed = api.ok("GET", "/v2/campaigns")["campaigns"]
    assert sorted(statuses) == [200, *[400] * 11]
    assert [one.get("slug") for one in listed].count("summer") == 1
    invariants.check(fresh_stack)


def _status(method: str, path: str, body: Json, api: Api) -> int:
    return api.call(method, path, body).status_code


# Found by its slug


def found(stack: Stack, account_id: str | None, slug: str, **how: bool) -> str:
    """The id of the campaign that is found, as a container finds it that lives on."""
    caller = Caller(account_id or "", "key_x", frozenset())
    with runtime.using(stack.runtime()):
        return access.campaign_called(caller, slug, **how).campaign_id


@pytest.mark.parametrize("slug", ["winter", "SUMMER", "summer ", "a#b", "", "s" * 300, "\ud800"])
def test_a_slug_that_nothing_is_called_finds_nothing(stack: Stack, slug: str) -> None:
    account_id = new_account(stack)
    with Api(stack.url, new_key(stack, account_id).secret) as api:
        create(api, "summer")

    with pytest.raises(NotFound):
        found(stack, account_id, slug)


def test_i17_another_accounts_slug_is_as_unknown_as_one_that_nobody_has(stack: Stack) -> None:
    live, test = new_account(stack), new_account(stack, "test")
    with Api(stack.url, new_key(stack, live).secret) as api:
        campaign_id = create(api, "summer")["id"]

    assert found(stack, live, "summer") == campaign_id
    refusals = []
    for account_id, slug in ((test, "summer"), (live, "nobodys")):
        with pytest.raises(NotFound) as refused:
            found(stack, account_id, slug)
        refusals.append(str(refused.value))
    assert len(set(refusals)) == 1


def test_a_campaign_is_remembered_for_ten_seconds_where_it_may_be(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        first, second = create(api, "summer")["id"], api.campaign(live=False)
        caller = Caller(fresh_stack.account_id or "", "key_x", frozenset())
        container = fresh_stack.runtime()
        with runtime.using(container):
            access.campaign_called(caller, "summer", may_be_remembered=True)
            patch(api, first, None)
            patch(api, second, "summer")

            warm = access.campaign_called(caller, "summer", may_be_remembered=True)
            fresh_stack.advance(CAMPAIGN_CACHE_MS)
            later = access.campaign_called(caller, "summer", may_be_remembered=True)

    assert (warm.campaign_id, later.campaign_id) == (first, second)


def test_where_it_must_not_be_remembered_it_is_read(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = create(api, "summer")["id"]
        caller = Caller(fresh_stack.account_id or "", "key_x", frozenset())
        with runtime.using(fresh_stack.runtime()):
            access.campaign_called(caller, "summer")
            patch(api, campaign_id, None)

            with pytest.raises(NotFound):
                access.campaign_called(caller, "summer")
            with pytest.raises(NotFound):
                access.campaign_called(caller, "summer", may_be_remembered=True)
