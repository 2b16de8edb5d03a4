"""When the secrets of the draws are told, and that none decides anything from then on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics import draw_secrets
from grapevine.engine.mechanics.draw_secrets import SHOWN_AFTER_MS
from grapevine.engine.mechanics.draws import commitment, draw_value
from grapevine.engine.mechanics.fields import instant_text
from local.stack import Stack
from tests.api import Json
from tests.play_invariants import check
from tests.playing import GOLD, Game, by_moments, mechanics
from tests.scenarios import DAY_MS, interrupted, leap

PURCHASE = {"amount": 20}


def told(game: Game) -> Json:
    data: Json = game.call("GET", "mechanics").json()["data"]["instantWin"]
    return data


def wait(game: Game, milliseconds: int = SHOWN_AFTER_MS + 1000) -> None:
    leap(game.stack, game.stack.now_ms() + milliseconds)


def unlimited() -> Json:
    made = mechanics()
    made["instantWin"]["limits"] = {}
    made["instantWin"]["tiers"][0]["perUser"] = None
    return made


def test_no_answer_tells_the_secret_before_the_campaign_has_ended_for_everybody(
    fresh_stack: Stack,
) -> None:
    game = Game.started(fresh_stack, mechanics())
    secret = game.secret()
    answers = [game.send("user", "purchase", PURCHASE, key=next(game.keys_that_draw(GOLD)))]
    event_id = check(game).events[0].event_id

    def asked() -> list[Any]:
        return [
            game.call("GET", "mechanics"),
            game.save(told_whole(game), seen=told_whole(game)["configVersion"]),
            game.call("GET", "prizes"),
            game.call("GET", "stats"),
            game.call("GET", f"events/{event_id}", params={"userId": "user"}),
            game.call("GET", "participants/user"),
            game.http.get(f"/v2/campaign/{game.campaign_id}"),
        ]

    answers += asked()
    game.set_status("COMPLETE")
    answers.append(game.call("GET", "mechanics"))
    wait(game, CAMPAIGN_CACHE_MS)
    answers.append(game.call("GET", "mechanics"))
    wait(game)

    assert {answer.status_code for answer in answers} == {200}
    assert not [answer.request.url for answer in answers if secret in answer.text]
    assert told(game)["drawSecret"] == secret


def told_whole(game: Game) -> Json:
    data: Json = game.call("GET", "mechanics").json()["data"]
    return data


def test_a_campaign_that_goes_on_after_its_end_draws_with_a_secret_nobody_knows(
    fresh_stack: Stack,
) -> None:
    game = Game.started(fresh_stack, unlimited())
    before = game.event("early", "purchase", PURCHASE, key="early")
    game.set_status("COMPLETE")
    wait(game)
    first = told(game)
    # The container has read the mechanics anew, and meets the campaign that goes on by a name that
    # it has not remembered: so it is as warm as it can be.
    assert game.send("warm", "purchase", PURCHASE).status_code == 404
    resumed = {"status": "IN_PROGRESS", "slug": f"{game.slug}-2"}
    assert game.http.patch(f"/v2/campaign/{game.campaign_id}", json=resumed).status_code == 200
    game = replace(game, slug=resumed["slug"])

    known = itertools.islice(game.keys_that_draw(GOLD, first["drawSecret"]), 20)
    for number, key in enumerate(known):
        game.event(f"user_{number}", "purchase", PURCHASE, key=key)

    second = told(game)
    assert second["drawCommitment"] == commitment(game.secret()) != first["drawCommitment"]
    assert "drawSecret" not in second
    assert game.secret() != first["drawSecret"]
    events = [event for event in check(game).events if event.user_id != "early"]
    assert len(events) == 20
    for event in events:
        assert event.draw_value == draw_value(game.secret(), game.campaign_id, event.event_id)
        assert event.secret_number == second["drawNumber"] == 2
    assert game.event("early", "purchase", PURCHASE, key="early") == before


def test_former_secrets_stay_published_with_their_numbers(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    secrets = [game.secret()]
    for number in range(2):
        game.event(f"user_{number}", "purchase", PURCHASE)
        game.set_status("COMPLETE")
        game.set_status("IN_PROGRESS")
        wait(game, CAMPAIGN_CACHE_MS)
        secrets.append(game.secret())
    hidden_yet = told(game)["formerDraws"]
    wait(game)

    former = told(game)["formerDraws"]

    assert hidden_yet == []
    assert [each["drawNumber"] for each in former] == [2, 1]
    assert [each["drawSecret"] for each in former] == secrets[1::-1]
    assert [each["drawCommitment"] for each in former] == [
        commitment(one) for one in secrets[1::-1]
    ]
    for event in check(game).events:
        answer = game.call("GET", f"events/{event.event_id}", params={"userId": event.user_id})
        drawn = answer.json()["data"]["instantWin"]
        secret = secrets[drawn["drawNumber"] - 1]
        assert drawn["draw"] == draw_value(secret, game.campaign_id, event.event_id)


def test_prizes_are_not_hidden_by_a_secret_that_was_shown(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    game.set_status("COMPLETE")
    wait(game)
    shown = told(game)["drawSecret"]
    now = fresh_stack.now_ms()
    made = by_moments(now, now + DAY_MS, gold=3)

    assert game.save(made, seen=1).status_code == 200
    hiding = game.secret()
    game.set_status("IN_PROGRESS")
    game.set_status("COMPLETE")
    wait(game)
    while_hidden = told(game)
    leap(fresh_stack, now + 2 * DAY_MS)

    assert hiding != shown
    assert "drawSecret" not in while_hidden
    assert while_hidden["formerDraws"] == []
    assert [each["drawSecret"] for each in told(game)["formerDraws"]] == [hiding, shown]


def test_a_save_that_meets_a_resumption_does_not_bring_the_former_secret_back(
    fresh_stack: Stack,
) -> None:
    game = Game.started(fresh_stack, mechanics())
    game.set_status("COMPLETE")
    wait(game)
    shown = told(game)["drawSecret"]
    resumed = partial(game.set_status, "IN_PROGRESS")

    with interrupted(fresh_stack, "UpdateMechanicsFunction", 4, resumed):
        answer = game.save(mechanics(timezone="UTC"), seen=1)

    assert answer.status_code == 200
    assert game.secret() != shown
    assert "drawSecret" not in told(game)


def test_a_resumption_that_meets_a_save_keeps_both(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    game.set_status("COMPLETE")
    wait(game)
    shown = told(game)["drawSecret"]
    saved = partial(game.save, mechanics(timezone="UTC"), seen=1)

    with interrupted(fresh_stack, "UpdateCampaignFunction", 2, saved):
        game.set_status("IN_PROGRESS")

    after = told_whole(game)
    assert (after["status"], after["timezone"]) == ("IN_PROGRESS", "UTC")
    assert game.secret() != shown


def test_draws_can_be_checked_after_the_instant_win_was_taken_out(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, unlimited())
    promised = told(game)["drawCommitment"]
    game.event("user", "purchase", PURCHASE)
    assert game.save(mechanics(instantWin=None), seen=1).status_code == 200
    without = told_whole(game)
    game.set_status("COMPLETE")
    wait(game)

    after = told_whole(game)

    assert without["instantWin"] is after["instantWin"] is None
    assert without["drawCommitment"] == after["drawCommitment"] == promised
    assert "drawSecret" not in without
    assert commitment(after["drawSecret"]) == promised
    assert game.save(after, seen=2).status_code == 200
    [former] = told_whole(game)["formerDraws"]
    assert former["drawSecret"] == after["drawSecret"]


def test_a_campaign_that_never_had_an_instant_win_speaks_of_no_draws(stack: Stack) -> None:
    game = Game.started(stack, mechanics(instantWin=None))

    assert not [name for name in told_whole(game) if "raw" in name]


def test_saves_of_an_ended_campaign_do_not_bury_what_decided_its_draws(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_secrets, "MOST_FORMER", 1)
    game = Game.started(fresh_stack, unlimited())
    game.event("user", "purchase", PURCHASE)
    [event] = check(game).events
    secret = game.secret()
    game.set_status("COMPLETE")
    wait(game)
    assert told(game)["drawSecret"] == secret

    for seen in range(1, 4):
        assert game.save(unlimited(), seen=seen).status_code == 200
        assert [each["drawSecret"] for each in told(game)["formerDraws"]] == [secret]
        assert "drawSecret" not in told(game)

    assert told(game)["drawNumber"] == 2
    for _ in range(2):
        game.set_status("IN_PROGRESS")
        game.set_status("COMPLETE")
    wait(game)
    assert secret not in game.call("GET", "mechanics").text
    asked = game.call("GET", f"events/{event.event_id}", params={"userId": "user"})
    drawn = asked.json()["data"]["instantWin"]
    assert (drawn["drawSecret"], drawn["drawCommitment"]) == (secret, commitment(secret))
    assert drawn["draw"] == draw_value(secret, game.campaign_id, event.event_id)


def until(end: int, **more: Any) -> Json:
    return {**unlimited(), "endsAt": instant_text(end), **more}


def test_the_secret_is_told_after_ends_at_and_decides_nothing_if_the_campaign_goes_further(
    fresh_stack: Stack,
) -> None:
    end = fresh_stack.now_ms() + DAY_MS
    game = Game.started(fresh_stack, until(end))
    secret = game.secret()
    leap(fresh_stack, end + SHOWN_AFTER_MS - 1000)
    assert game.send("late", "purchase", PURCHASE).status_code == 404
    assert "drawSecret" not in told(game)
    leap(fresh_stack, end + SHOWN_AFTER_MS + 1000)
    assert told(game)["drawSecret"] == secret
    assert game.send("late", "purchase", PURCHASE).status_code == 404

    further = until(end + 2 * DAY_MS)
    assert game.save(further, seen=1).status_code == 200

    assert [each["drawSecret"] for each in told(game)["formerDraws"]] == [secret]
    assert "drawSecret" not in told(game)
    wait(game, CAMPAIGN_CACHE_MS + 1000)
    game.event("user", "purchase", PURCHASE, key=next(game.keys_that_draw(GOLD, secret)))
    [event] = check(game).events
    assert event.secret_number == told(game)["drawNumber"] == 2
    assert event.draw_value == draw_value(game.secret(), game.campaign_id, event.event_id)
    assert game.secret() != secret
    game.set_status("COMPLETE")
    wait(game)
    assert told(game)["drawSecret"] == game.secret()


def test_an_end_that_is_put_into_the_past_tells_no_secret_while_containers_go_by_the_former_one(
    fresh_stack: Stack,
) -> None:
    start = fresh_stack.now_ms()
    game = Game.started(fresh_stack, until(start + 9 * DAY_MS))
    secret = game.secret()
    leap(fresh_stack, start + 2 * DAY_MS)
    game.event("warm", "purchase", PURCHASE)
    assert game.save(until(start + DAY_MS), seen=1).status_code == 200

    at_once = told(game)
    game.event("warm", "purchase", PURCHASE, key=next(game.keys_that_draw(GOLD)))
    wait(game, SHOWN_AFTER_MS - 1000)
    later = told(game)
    wait(game, 2000)

    assert "drawSecret" not in at_once
    assert "drawSecret" not in later
    assert told(game)["drawSecret"] == secret
    assert {event.secret_number for event in check(game).events} == {1}
