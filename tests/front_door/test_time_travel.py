"""The turn of a month: every count is right at once, and nothing has been written for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from grapevine.months import month_at, start_of
from grapevine.table.keys import Key
from local.stack import Stack
from tests.api import Api
from tests.invariants import Item, table_of
from tests.scenarios import HOUR_MS, drain, leap

NAMES = (
    "referralCount",
    "monthlyReferralCount",
    "prevMonthlyReferralCount",
    "rank",
    "monthlyRank",
    "prevMonthlyRank",
)


@pytest.fixture
def api(fresh_stack: Stack) -> Iterator[Api]:
    with Api(fresh_stack.url, fresh_stack.api_key) as client:
        yield client


def credited_campaign(api: Api) -> tuple[str, str, str]:
    """Two referrers: the later one with two credits, the earlier one with one."""
    campaign_id = api.campaign(installation={"referralTrigger": "ON_SIGNUP"})
    early, late = api.add(campaign_id)["id"], api.add(campaign_id)["id"]
    for referrer in (early, late, late):
        api.add(campaign_id, referredBy=referrer)
    drain(api)
    return campaign_id, early, late


def shown(api: Api, campaign_id: str, participant: str) -> tuple[Any, ...]:
    """The counts and ranks of a participant; reading them has written nothing."""
    response = api.call("GET", f"/v2/campaign/{campaign_id}/participant/{participant}")
    assert response.headers["x-local-write-units"] == "0"
    read = response.json()
    return tuple(read[name] for name in NAMES)


def month_end(stack: Stack) -> int:
    """The first moment of the next month."""
    return start_of(month_at(stack.now_ms()) + 1)


def test_over_a_months_end_counts_move_on_without_a_write(fresh_stack: Stack, api: Api) -> None:
    campaign_id, early, late = credited_campaign(api)
    before = (shown(api, campaign_id, early), shown(api, campaign_id, late))
    stored = table_of(fresh_stack)

    leap(fresh_stack, month_end(fresh_stack))
    after = (shown(api, campaign_id, early), shown(api, campaign_id, late))
    lists = api.read(campaign_id, late)

    assert before == ((1, 1, 0, 2, 2, -1), (2, 2, 0, 1, 1, -1))
    assert after == ((1, 0, 1, 2, 1, 2), (2, 0, 2, 1, 2, 1))
    assert len(lists["referrals"]) == 2
    assert lists["monthlyReferrals"] == []
    assert table_of(fresh_stack) == stored


def test_schedules_that_fire_over_the_months_end_write_nothing_of_the_participants(
    fresh_stack: Stack, api: Api
) -> None:
    campaign_id, _, late = credited_campaign(api)
    midnight = month_end(fresh_stack)
    leap(fresh_stack, midnight - HOUR_MS)
    stored = of_participants(fresh_stack)

    fresh_stack.set_clock(midnight + HOUR_MS)
    drain(api)

    assert shown(api, campaign_id, late) == (2, 0, 2, 1, 2, 1)
    assert of_participants(fresh_stack) == stored
    written = {item["type"] for item in table_of(fresh_stack).values()}
    assert {"Calendar", "MonthClosing", "MonthSnapshot"} < written


def of_participants(stack: Stack) -> dict[Key, Item]:
    """The table without what the end of a month leaves behind of a campaign."""
    left = {"Calendar", "MonthClosing", "MonthSnapshot"}
    return {key: item for key, item in table_of(stack).items() if item["type"] not in left}


def test_the_month_turns_at_midnight_utc_and_not_a_moment_earlier(
    fresh_stack: Stack, api: Api
) -> None:
    campaign_id, _, late = credited_campaign(api)
    midnight = month_end(fresh_stack)

    leap(fresh_stack, midnight - 30_000)
    before = shown(api, campaign_id, late)
    leap(fresh_stack, midnight)
    after = shown(api, campaign_id, late)

    assert (before[1], before[2]) == (2, 0)
    assert (after[1], after[2]) == (0, 2)


def test_after_two_months_nothing_of_the_old_month_is_left(fresh_stack: Stack, api: Api) -> None:
    campaign_id, early, late = credited_campaign(api)
    stored = table_of(fresh_stack)

    leap(fresh_stack, start_of(month_at(fresh_stack.now_ms()) + 2))

    assert shown(api, campaign_id, early) == (1, 0, 0, 2, 1, 1)
    assert shown(api, campaign_id, late) == (2, 0, 0, 1, 2, 2)
    assert table_of(fresh_stack) == stored


def test_after_a_year_the_same_month_starts_at_zero(fresh_stack: Stack, api: Api) -> None:
    campaign_id, _, late = credited_campaign(api)

    leap(fresh_stack, start_of(month_at(fresh_stack.now_ms()) + 12))
    zero = shown(api, campaign_id, late)
    api.add(campaign_id, referredBy=late)
    drain(api)

    assert zero == (2, 0, 0, 1, 2, 2)
    assert shown(api, campaign_id, late) == (3, 1, 0, 1, 1, 2)


def test_the_year_turns_like_any_month(fresh_stack: Stack, api: Api) -> None:
    this_year = datetime.fromtimestamp(fresh_stack.now_ms() / 1000, tz=UTC).year
    new_year = round(datetime(this_year + 1, 1, 1, tzinfo=UTC).timestamp() * 1000)
    leap(fresh_stack, new_year - HOUR_MS)
    campaign_id, early, late = credited_campaign(api)
    stored = table_of(fresh_stack)

    leap(fresh_stack, new_year)

    assert shown(api, campaign_id, early) == (1, 0, 1, 2, 1, 2)
    assert shown(api, campaign_id, late) == (2, 0, 2, 1, 2, 1)
    assert table_of(fresh_stack) == stored


def test_credits_of_the_new_month_count_beside_those_of_the_last(
    fresh_stack: Stack, api: Api
) -> None:
    campaign_id, early, late = credited_campaign(api)
    leap(fresh_stack, month_end(fresh_stack))

    newcomer = api.add(campaign_id, referredBy=early)["id"]
    drain(api)

    assert shown(api, campaign_id, early) == (2, 1, 1, 1, 1, 2)
    assert shown(api, campaign_id, late) == (2, 0, 2, 2, 2, 1)
    assert shown(api, campaign_id, newcomer)[5] == -1
    assert api.read(campaign_id, early)["monthlyReferrals"] == [newcomer]


def test_a_deletion_in_the_new_month_takes_the_credit_from_the_old_one(
    fresh_stack: Stack, api: Api
) -> None:
    campaign_id, _, late = credited_campaign(api)
    friend = api.read(campaign_id, late)["referrals"][0]
    leap(fresh_stack, month_end(fresh_stack))

    api.delete(campaign_id, friend)
    drain(api)

    assert shown(api, campaign_id, late)[:3] == (1, 0, 1)
    assert api.read_campaign(campaign_id)["referralCount"] == 2


def test_a_delayed_credit_counts_in_the_month_of_its_award(fresh_stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    leap(fresh_stack, month_end(fresh_stack) - HOUR_MS)
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)["id"]
    api.trigger(campaign_id, friend, delayInDays=1)

    fresh_stack.advance(25 * HOUR_MS)
    drain(api)

    assert shown(api, campaign_id, referrer)[:3] == (1, 1, 0)
