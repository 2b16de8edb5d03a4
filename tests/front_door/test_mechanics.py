"""A campaign's mechanics as they are saved and shown, and draws that anybody can check."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.configuration import parse, written_out
from grapevine.engine.mechanics.draw_secrets import MOST_FORMER, SHOWN_AFTER_MS
from grapevine.engine.mechanics.draws import commitment, new_secret
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.validating import MOST_BYTES
from grapevine.http import exact_body
from grapevine.http.body import LARGEST_BODY_BYTES
from grapevine.http.models.mechanics import FormerDraws
from grapevine.table import mechanics_keys, store
from grapevine.table.mechanics import MechanicsVersion
from local.stack import Stack
from tests.api import Json
from tests.conftest import inside
from tests.invariants import table_of
from tests.play_invariants import check
from tests.playing import GOLD, SILVER, Game, mechanics, verified
from tests.scenarios import at_once, interrupted, leap

PURCHASE = {"amount": 20}


def shown(game: Game) -> Json:
    answer = game.call("GET", "mechanics")
    assert answer.status_code == 200
    data: Json = answer.json()["data"]
    return data


def test_draws_of_a_played_campaign_are_checked_with_what_it_publishes(stack: Stack) -> None:
    made = mechanics()
    made["instantWin"]["limits"] = {}
    made["instantWin"]["tiers"][0]["oddsPpm"] = 400_000
    game = Game.started(stack, made)
    commitment = shown(game)["instantWin"]["drawCommitment"]
    for number in range(5):
        game.event(f"user_{number}", "purchase", PURCHASE)
    before = shown(game)["instantWin"]
    game.set_status("COMPLETE")
    leap(stack, stack.now_ms() + SHOWN_AFTER_MS + 1000)
    after = shown(game)["instantWin"]

    events = check(game).events
    asked = [commitment, after["drawSecret"], game.campaign_id]
    told = [verified(*asked, event.event_id, "gold=400000", "silver=50000") for event in events]

    assert "drawSecret" not in before
    assert after["drawCommitment"] == commitment
    assert told == [
        f"The draw is {event.draw_value}: it hits {event.tier_hit or 'no tier'}.\n"
        for event in events
    ]


def test_what_was_shown_can_be_saved_and_changes_nothing_but_the_version(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    first = shown(game)

    saved = game.save(first, seen=1)

    assert saved.status_code == 200
    assert saved.json()["data"] == {**first, "configVersion": 2} == shown(game)


def test_the_largest_configuration_that_is_shown_can_be_saved_again(stack: Stack) -> None:
    """Short as it is sent, it has thousands of defaults; a client writes it at length again."""
    rules = [{"id": f"r{one}", "eventType": f"e{one // 10}", "award": FLAT} for one in range(100)]
    wide = [{"field": "f", "op": "in", "value": ["\u20ac" * 500] * number} for number in (60, 1)]
    game = Game.started(stack)

    def fill(number: int) -> Json:
        more = [{**rules[0], "when": [wide[0]]}, {**rules[1], "when": [wide[1]] * number}]
        return mechanics(points={"rules": more + rules[2:]})

    sizes = [len(written_out(parse(fill(number)))) for number in range(11)]
    fits = max(number for number, size in enumerate(sizes) if size <= MOST_BYTES)
    refused = game.save(fill(fits + 1))
    saved = game.save(fill(fits))
    told = game.call("GET", "mechanics").json()["data"]
    again = game.call("PUT", "mechanics", content=json.dumps(told), headers=seen_and_sent(1))

    assert refused.json()["errors"] == [
        {"field": "body", "message": "With its defaults it is larger than 224 KiB."}
    ]
    assert sizes[fits] > MOST_BYTES - 4000
    assert saved.status_code == 200
    assert len(json.dumps(told)) > 3 * exact_body.LARGEST_BODY_BYTES
    assert again.status_code == 200, again.text
    assert shown(game) == {**told, "configVersion": 2}
    items = [
        item for item in table_of(stack).values() if item.get("campaignId") == game.campaign_id
    ]
    assert 100_000 < max(len(str(item).encode()) for item in items) < 400_000


FLAT = {"type": "fixed", "points": 1}


def seen_and_sent(version: int) -> dict[str, str]:
    return {"if-match": str(version), "content-type": "application/json"}


def test_what_is_only_shown_fits_beside_the_largest_configuration() -> None:
    former = {
        "drawNumber": 10**6,
        "drawCommitment": commitment(new_secret()),
        "drawSecret": new_secret(),
        "until": instant_text(0),
    }
    assert former.keys() == {each.alias for each in FormerDraws.model_fields.values()}
    shown_only = {
        "slug": "s" * 100,
        "name": "\U0001f600" * 255,
        "status": "IN_PROGRESS",
        "configVersion": 10**9,
        "instantWin": {
            **former,
            "formerDraws": [former] * MOST_FORMER,
        },
    }

    assert MOST_BYTES + len(json.dumps(shown_only)) < LARGEST_BODY_BYTES


@pytest.mark.parametrize("seen", [0, 2, 9_999_999_999])
def test_who_has_not_seen_the_newest_version_changes_nothing(stack: Stack, seen: int) -> None:
    game = Game.started(stack, mechanics())
    before = table_of(stack)

    answer = game.save(mechanics(timezone="UTC"), seen=seen)

    assert (answer.status_code, answer.json()["code"]) == (412, 412)
    assert table_of(stack) == before


def test_a_save_that_loses_to_another_one_is_refused(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    other = partial(game.save, mechanics(timezone="UTC"), seen=1)

    with interrupted(stack, "UpdateMechanicsFunction", 4, other):
        answer = game.save(mechanics(timezone="Asia/Tokyo"), seen=1)

    assert answer.status_code == 412
    assert (shown(game)["timezone"], shown(game)["configVersion"]) == ("UTC", 2)


@pytest.mark.both_engines
def test_of_many_who_save_at_once_one_does(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    path, headers = f"/v1/campaigns/{game.slug}/mechanics", {"if-match": '"1"'}
    headers["x-api-secret"] = str(stack.api_key)

    def save(api: Any) -> int:
        status: int = api.http.put(path, json=mechanics(), headers=headers).status_code
        return status

    assert sorted(at_once(stack, [save] * 8)) == [200] + [412] * 7


def test_every_version_is_kept_with_who_saved_it(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    assert game.save(mechanics(timezone="UTC"), seen=1).status_code == 200

    with inside(stack):
        keys = [mechanics_keys.mechanics_version(game.campaign_id, number) for number in (1, 2)]
        items = store.get_many(keys)
        kept = [MechanicsVersion.from_item(items[key]) for key in keys]

    assert [each.configuration["timezone"] for each in kept] == ["Europe/Berlin", "UTC"]
    assert kept[0].changed_at <= kept[1].changed_at
    assert kept[0].changed_by == kept[1].changed_by
    assert kept[0].changed_by.startswith("key_")


def test_what_players_have_worked_for_or_won_stays(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    game.event("user", "purchase", PURCHASE, key=next(game.keys_that_draw(GOLD)))
    other_threshold, no_gold = mechanics(), mechanics()
    other_threshold["milestones"][0]["threshold"] = 999
    no_gold["instantWin"]["tiers"][0]["inventory"] = 0
    before = table_of(stack)

    refused = [game.save(made, seen=1) for made in (other_threshold, no_gold)]

    assert [answer.status_code for answer in refused] == [400, 400]
    assert [answer.json()["errors"][0]["field"] for answer in refused] == [
        "milestones.0.threshold",
        "instantWin.tiers.0.inventory",
    ]
    assert table_of(stack) == before
    one_left = mechanics()
    one_left["instantWin"]["tiers"][0]["inventory"] = 1
    assert game.save(one_left, seen=1).status_code == 200
    check(game)


def test_a_prize_that_is_won_meanwhile_counts_against_a_smaller_inventory(stack: Stack) -> None:
    made = mechanics()
    made["instantWin"]["tiers"][0] |= {"perUser": None, "inventory": 3}
    game = Game.started(stack, made)
    gold = game.keys_that_draw(GOLD)
    game.event("user_1", "purchase", PURCHASE, key=next(gold))
    smaller = mechanics()
    smaller["instantWin"]["tiers"][0] |= {"inventory": 1}
    won = partial(game.event, "user_2", "purchase", PURCHASE, key=next(gold))

    with interrupted(stack, "UpdateMechanicsFunction", 4, won):
        answer = game.save(smaller, seen=1)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "instantWin.tiers.0.inventory"
    assert [stock.inventory for stock in check(game).stocks if stock.tier_id == "gold"] == [3]


def test_a_tier_that_is_taken_out_is_won_no_more_and_can_come_back(fresh_stack: Stack) -> None:
    made, without = mechanics(), mechanics()
    made["instantWin"]["limits"] = {}
    made["instantWin"]["tiers"] = [
        {"id": "gold", "name": "Gold", "oddsPpm": 10_000, "inventory": 3},
        {"id": "endless", "name": "Endless", "oddsPpm": 50_000},
    ]
    without["instantWin"] |= {"limits": {}, "tiers": []}
    game = Game.started(fresh_stack, made)
    gold, endless = game.keys_that_draw(GOLD), game.keys_that_draw(SILVER)

    def won() -> list[bool]:
        keys = (next(gold), next(endless))
        answers = [game.event("user", "purchase", PURCHASE, key=key) for key in keys]
        return [answer.get("instantWin", {}).get("won", False) for answer in answers]

    before = won()
    tried = []
    for version, gone in enumerate((without, made, mechanics(instantWin=None), made), start=1):
        assert game.save(gone, seen=version).status_code == 200
        if gone is made:
            # What has come back is won as soon as containers know it.
            leap(fresh_stack, fresh_stack.now_ms() + CAMPAIGN_CACHE_MS + 1000)
        tried.append(won())

    assert before == [True, True]
    assert tried == [[False, False], [True, True], [False, False], [True, True]]
    stocks = {stock.tier_id: stock for stock in check(game).stocks}
    assert (stocks["gold"].awarded, stocks["gold"].inventory) == (3, 3)
    fresh_stack.drain()
