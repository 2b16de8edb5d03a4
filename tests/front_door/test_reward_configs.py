"""The rewards that a campaign offers: made, listed, changed, deleted, and shown with it."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest

from grapevine import runtime
from grapevine.engine import accounts
from local.stack import Stack
from tests.api import Api, Json
from tests.reward_stories import Program
from tests.scenarios import at_once

DEFAULTS: Json = {
    "title": None,
    "description": None,
    "referralDescription": None,
    "imageUrl": None,
    "imageIconKey": None,
    "isVisible": True,
    "isUnlimited": True,
    "limit": -1,
    "limitDuration": "IN_TOTAL",
    "conversionsRequired": 1,
    "numberOfWinners": 3,
    "event": "CONVERSION",
    "referredRewardUpfront": False,
    "order": None,
    "nextMilestonePrefix": None,
    "nextMilestoneSuffix": None,
    "couponCode": None,
    "referralCouponCode": None,
    "metadata": {},
    "value": None,
    "referredValue": None,
}


@pytest.fixture
def program(stack: Stack, api: Api) -> Program:
    return Program.begin(stack, api)


def send(program: Program, method: str, reward: str = "", body: Any = None) -> httpx.Response:
    path = f"{program.path}/reward-configs{f'/{reward}' if reward else ''}"
    return program.api.call(method, path, body)


def create(program: Program, **fields: Any) -> Json:
    answer = send(program, "POST", body={"type": "SINGLE_SIDED", **fields})
    assert answer.status_code == 200, answer.text
    created: Json = answer.json()
    return created


def listed(program: Program) -> list[Json]:
    rewards: list[Json] = send(program, "GET").json()["rewards"]
    return rewards


@pytest.mark.parametrize("kind", ["SINGLE_SIDED", "DOUBLE_SIDED", "MILESTONE", "LEADERBOARD"])
def test_a_reward_has_the_defaults_of_its_type(program: Program, kind: str) -> None:
    created = create(program, type=kind)

    once = {"isUnlimited": False, "limit": 1} if kind == "MILESTONE" else {}
    assert created == {"id": created["id"], "type": kind, **DEFAULTS, **once}
    assert listed(program) == [created]


FIELDS: Json = {
    "title": "Early bird",
    "description": "A T-shirt ✓",
    "referralDescription": "A mug",
    "imageUrl": "https://example.com/shirt.png",
    "isVisible": False,
    "isUnlimited": False,
    "limit": 5,
    "limitDuration": "PER_MONTH",
    "conversionsRequired": 4,
    "numberOfWinners": 7,
    "event": "CONVERSION",
    "referredRewardUpfront": True,
    "order": 3,
    "nextMilestonePrefix": "Only",
    "nextMilestoneSuffix": "to go",
    "couponCode": "ME",
    "referralCouponCode": "YOU",
    "metadata": {"size": "L"},
    "value": {"fairMarketValueUSD": 12.5, "isTaxReportable": True},
    "referredValue": {"taxCharacter": "PRIZE_OR_AWARD"},
}


def test_every_field_is_kept(program: Program) -> None:
    created = create(program, **FIELDS)

    shown = {"id": created["id"], "type": "SINGLE_SIDED", **DEFAULTS, **FIELDS}
    assert created == shown
    assert listed(program) == [shown]


def test_every_field_can_be_changed_alone(program: Program) -> None:
    expected = create(program)

    for name, value in FIELDS.items():
        answer = send(program, "PATCH", expected["id"], {name: value})
        # The limit shows once the reward is limited.
        expected |= {name: value} | ({"limit": 1} if name == "isUnlimited" else {})
        assert answer.json() == expected, name

    assert listed(program) == [expected]


def test_an_empty_change_changes_nothing(program: Program) -> None:
    created = create(program, **FIELDS)

    assert send(program, "PATCH", created["id"], {}).json() == created


@pytest.mark.parametrize(
    "name",
    [
        "referralDescription",
        "imageUrl",
        "imageIconKey",
        "nextMilestonePrefix",
        "couponCode",
        "referralCouponCode",
        "value",
        "referredValue",
    ],
)
def test_null_clears_a_field(program: Program, name: str) -> None:
    created = create(program, **{**FIELDS, "imageIconKey": "GIFT_1"})

    answer = send(program, "PATCH", created["id"], {name: None})

    assert answer.json()[name] is None


def test_a_new_image_clears_the_icon_unless_one_is_sent(program: Program) -> None:
    created = create(program, imageIconKey="ROCKET", imageUrl="https://example.com/a.png")
    assert created["imageIconKey"] == "ROCKET"

    changed = send(program, "PATCH", created["id"], {"imageUrl": "https://example.com/b.png"})

    assert changed.json()["imageIconKey"] is None


def test_metadata_is_replaced_with_camel_case_keys_and_text_values(program: Program) -> None:
    created = create(program, metadata={"My Key": 25, "other_key": True, "ratio": 2.5, "gone": "x"})
    assert created["metadata"] == {
        "myKey": "25",
        "otherKey": "true",
        "ratio": "2.5",
        "gone": "x",
    }

    changed = send(program, "PATCH", created["id"], {"metadata": {"new": "y", "no": None}})

    assert changed.json()["metadata"] == {"new": "y"}
    emptied = send(program, "PATCH", created["id"], {"metadata": {}})
    assert emptied.json()["metadata"] == {}


REFUSED: dict[str, Json] = {
    "no type": {"type": None},
    "an unknown type": {"type": "BONUS"},
    "an affiliate reward": {"type": "AFFILIATE"},
    "a commission": {"commissionStructure": {"type": "PERCENT"}},
    "a reward for leads": {"event": "LEAD"},
    "an unknown field": {"colour": "red"},
    "an id": {"id": "crew_mine"},
    "a limit below zero": {"limit": -1},
    "a limit that is a word": {"limit": "three"},
    "half a limit": {"limit": 1.5},
    "an unknown window": {"limitDuration": "PER_WEEK"},
    "no conversions": {"conversionsRequired": 0},
    "winners below zero": {"numberOfWinners": -1},
    "too many winners": {"numberOfWinners": 1001},
    "a flag that is a number": {"isVisible": 2},
    "a null flag": {"isUnlimited": None},
    "a bad address": {"imageUrl": "javascript:alert(1)"},
    "an unknown icon": {"imageIconKey": "UNICORN"},
    "nested metadata": {"metadata": {"a": {"b": 1}}},
    "null metadata": {"metadata": None},
    "a list as metadata": {"metadata": []},
    "reserved metadata": {"metadata": {"gdprAgreements": 1}},
    "an unknown valuation": {"value": {"price": 1}},
    "a long title": {"title": "x" * 256},
    "a long description": {"description": "x" * 2001},
    "an order that is text": {"order": "first"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_reward_can_have_is_refused(program: Program, name: str) -> None:
    answer = send(program, "POST", body={"type": "SINGLE_SIDED", **REFUSED[name]})

    assert answer.status_code == 400
    assert answer.json()["code"] == "BAD_REQUEST_ERROR"
    assert answer.json()["errors"]
    assert listed(program) == []


@pytest.mark.parametrize("name", [each for each in REFUSED if "type" not in REFUSED[each]])
def test_what_no_reward_can_have_cannot_be_changed_to(program: Program, name: str) -> None:
    created = create(program)

    assert send(program, "PATCH", created["id"], REFUSED[name]).status_code == 400
    assert listed(program) == [created]


def test_the_type_cannot_be_changed(program: Program) -> None:
    created = create(program)

    for kind in ("SINGLE_SIDED", "MILESTONE"):
        assert send(program, "PATCH", created["id"], {"type": kind}).status_code == 400


@pytest.mark.parametrize(
    ("made", "changed"), [("PER_MONTH", "IN_TOTAL"), ("IN_TOTAL", "PER_MONTH")]
)
def test_when_a_leaderboard_is_won_cannot_be_changed(
    program: Program, made: str, changed: str
) -> None:
    created = create(program, type="LEADERBOARD", limitDuration=made)

    answer = send(program, "PATCH", created["id"], {"limitDuration": changed, "title": "X"})

    assert answer.status_code == 400
    assert [each["param"] for each in answer.json()["errors"]] == ["limitDuration"]
    assert listed(program) == [created]
    unchanged = send(program, "PATCH", created["id"], {"limitDuration": made, "title": "X"})
    assert unchanged.status_code == 200


@pytest.mark.parametrize("reward", ["crew_nothing", "nothing", "%23"])
def test_an_unknown_reward_is_not_found(program: Program, reward: str) -> None:
    assert send(program, "PATCH", reward, {"title": "X"}).status_code == 404
    assert send(program, "DELETE", reward).status_code == 404


def test_a_deleted_reward_is_gone(program: Program) -> None:
    created, kept = create(program), create(program)

    answer = send(program, "DELETE", created["id"])

    assert answer.json() == {"id": created["id"], "success": True}
    assert listed(program) == [kept]
    assert send(program, "PATCH", created["id"], {"title": "X"}).status_code == 404
    assert send(program, "DELETE", created["id"]).status_code == 404


def test_rewards_stand_in_their_order_then_in_that_of_their_creation(program: Program) -> None:
    unordered = create(program)["id"]
    last, first = create(program, order=2)["id"], create(program, order=1)["id"]
    also_first = create(program, order=1)["id"]
    at_the_end = create(program)["id"]

    expected = [first, also_first, last, unordered, at_the_end]

    assert [one["id"] for one in listed(program)] == expected
    shown = program.api.read_campaign(program.id)["rewards"]
    assert [one["id"] for one in shown] == expected


def test_a_campaign_shows_the_rewards_that_are_enabled_and_the_list_shows_all(
    program: Program,
) -> None:
    hidden, shown = create(program, isVisible=False), create(program)
    gone = create(program)
    send(program, "DELETE", gone["id"])

    assert program.api.read_campaign(program.id)["rewards"] == [shown]
    assert listed(program) == [hidden, shown]
    campaigns = program.api.ok("GET", "/v2/campaigns")["campaigns"]
    assert [one["rewards"] for one in campaigns if one["id"] == program.id] == [[shown]]
    renamed = program.api.ok("PATCH", program.path, {"name": "Renamed"})
    assert renamed["rewards"] == [shown]


def test_a_campaign_can_have_sixteen_rewards_at_a_time(program: Program) -> None:
    created = [create(program)["id"] for _ in range(16)]

    answer = send(program, "POST", body={"type": "MILESTONE"})

    assert answer.status_code == 400
    assert len(listed(program)) == 16
    send(program, "DELETE", created[0])
    create(program, type="MILESTONE")


@pytest.mark.both_engines
def test_rewards_created_at_once_are_sixteen_at_most(program: Program) -> None:
    for _ in range(13):
        create(program)

    def one_more(api: Api) -> int:
        return send(
            Program(program.stack, api, program.id), "POST", "", {"type": "MILESTONE"}
        ).status_code

    statuses = at_once(program.stack, [one_more] * 8)

    assert sorted(statuses) == [200] * 3 + [400] * 5
    assert len(listed(program)) == 16


def test_rewards_come_with_a_new_campaign_in_their_order(api: Api) -> None:
    kinds = ["LEADERBOARD", "MILESTONE", "DOUBLE_SIDED", "SINGLE_SIDED", "MILESTONE"]
    rewards: list[Json] = [
        {"type": kind, "title": str(place), "isVisible": place != 2}
        for place, kind in enumerate(kinds)
    ]

    created = api.ok("POST", "/v2/campaigns", {"type": "REFERRAL", "rewards": rewards})

    listing = api.ok("GET", f"/v2/campaign/{created['id']}/reward-configs")["rewards"]
    assert [one["title"] for one in listing] == ["0", "1", "2", "3", "4"]
    assert [one["title"] for one in created["rewards"]] == ["0", "1", "3", "4"]
    assert listing[1]["isUnlimited"] is False


@pytest.mark.parametrize(
    "rewards", [[{}], [{"type": "AFFILIATE"}], [{"type": "MILESTONE"}] * 21, {}, [None]]
)
def test_a_campaign_with_rewards_that_are_none_is_not_created(stack: Stack, rewards: Any) -> None:
    with runtime.using(stack.runtime()):
        account_id = accounts.create_account("Somebody").account_id
        key = accounts.create_key(account_id, name="Test")
    with Api(stack.url, key.secret) as api:
        body = {"type": "REFERRAL", "rewards": rewards}

        answer = api.call("POST", "/v2/campaigns", body)

        assert answer.status_code == 400
        assert api.ok("GET", "/v2/campaigns")["campaigns"] == []


def test_a_clone_has_copies_of_the_active_rewards(program: Program) -> None:
    first, second = create(program, **{**FIELDS, "isVisible": True}), create(program)
    create(program, isVisible=False)
    send(program, "DELETE", create(program)["id"])

    cloned = program.api.ok("POST", f"{program.path}/clone")

    copies = listed(Program(program.stack, program.api, cloned["id"]))
    assert cloned["rewards"] == copies
    originals = [first, second]
    assert [{**one, "id": ""} for one in copies] == [{**one, "id": ""} for one in originals]
    assert not {one["id"] for one in copies} & {one["id"] for one in originals}
    send(Program(program.stack, program.api, cloned["id"]), "DELETE", copies[0]["id"])
    assert first in listed(program)


def test_rewards_of_other_campaigns_and_accounts_are_out_of_reach(program: Program) -> None:
    other = Program.begin(program.stack, program.api)
    created = create(other)
    with runtime.using(program.stack.runtime()):
        account_id = accounts.create_account("Somebody").account_id
        key = accounts.create_key(account_id, name="Test")

    assert send(program, "PATCH", created["id"], {"title": "X"}).status_code == 404
    assert send(program, "DELETE", created["id"]).status_code == 404
    with Api(program.stack.url, key.secret) as stranger:
        reach = partial(send, Program(program.stack, stranger, other.id))
        assert reach("GET").status_code == 403
        assert reach("POST", body={"type": "MILESTONE"}).status_code == 403
        assert reach("PATCH", created["id"], {"title": "X"}).status_code == 403
        assert reach("DELETE", created["id"]).status_code == 403
    assert listed(other) == [created]
