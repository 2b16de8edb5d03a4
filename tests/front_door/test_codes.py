"""Codes of the GamifyHost API: made, verified, redeemed and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from grapevine.engine.mechanics import batches
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.guessing import MOST_BY_KEY, MOST_BY_USER
from grapevine.table.accounts import Environment
from local.stack import Stack
from tests import accounts
from tests.api import TLS, Api
from tests.coding import (
    FORM,
    code_item,
    counts,
    data_of,
    generate,
    new_codes,
    redeem,
    refused,
    stats,
    sums_are_right,
    verify,
)
from tests.invariants import table_of
from tests.playing import BLANK, GOLD, Game, mechanics
from tests.scenarios import DAY_MS, HOUR_MS, at_once, leap

USER, OTHER = "user_12345", "user/2 #ä"
UNKNOWN = {
    "valid": False,
    "status": "",
    "pointsValue": 0,
    "campaignName": "",
    "campaignSlug": "",
    "expired": False,
    "message": "Code not found",
}


@pytest.fixture
def game(stack: Stack) -> Game:
    return Game.started(stack, mechanics())


@contextmanager
def of_a_stranger(game: Game, environment: Environment = "live") -> Iterator[Game]:
    """The same campaign, as another account would ask for it."""
    key = accounts.new_key(game.stack, accounts.new_account(game.stack, environment)).secret
    headers = {"x-api-secret": key, "authorization": f"Bearer {key}"}
    with httpx.Client(base_url=game.stack.url, headers=headers, timeout=60, verify=TLS) as http:
        yield Game(game.stack, http, game.campaign_id, game.slug)


def a_win(game: Game, user_id: str = USER) -> str:
    won = game.event(user_id, "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    code: str = won["instantWin"]["winCode"]
    return code


def paid_by_the_code() -> Any:
    made = mechanics()
    made["instantWin"]["tiers"][0]["credit"] = "on_redeem"
    return made


def test_a_code_is_made_verified_redeemed_and_verified_again(game: Game) -> None:
    campaign = {"campaignName": "Untitled", "campaignSlug": game.slug, "expired": False}
    made = data_of(generate(game, 3, 500, label="In-store cards"))
    code = made["codes"][0]
    before = data_of(verify(game, f" {code.lower()} "))

    redeemed = redeem(game, USER, code)

    assert made["count"] == len(set(made["codes"])) == 3
    assert all(FORM.fullmatch(each) for each in made["codes"])
    assert made["gameUrl"] is None
    assert {**made["batch"], "id": "", "createdAt": ""} == {
        "id": "",
        "campaignId": game.campaign_id,
        "batchSize": 3,
        "pointsValue": 500,
        "label": "In-store cards",
        "expiresAt": None,
        "createdAt": "",
    }
    named = {name: before[name] for name in campaign if name != "campaignName"}
    assert named == {"campaignSlug": game.slug, "expired": False}
    assert before["campaignName"]
    assert (before["valid"], before["status"], before["pointsValue"]) == (True, "ACTIVE", 500)
    assert before["message"] == "Code is valid and redeemable"
    assert data_of(redeemed) == {
        "code": code,
        "pointsEarned": 500,
        "totalPoints": 500,
        "prizeTier": None,
        "message": "Code redeemed successfully",
    }
    after = data_of(verify(game, code))
    assert (after["valid"], after["status"], after["pointsValue"]) == (False, "REDEEMED", 500)
    assert after["message"] == "Code status is REDEEMED"
    assert counts(game) == (3, 2, 1, 0, 0, 1)
    (line,) = game.ledger(USER)
    assert (line.reason, line.source_id, line.points) == ("code", made["batch"]["id"], 500)
    sums_are_right(game, USER)


def test_plain_codes_are_nowhere_in_the_table(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())

    codes = new_codes(game, 5, key="cards")

    everything = repr(table_of(fresh_stack))
    assert not any(code in everything or code[5:] in everything for code in codes)


def test_the_same_key_gives_the_same_codes_and_writes_nothing(game: Game) -> None:
    first = generate(game, 120, 5, label="Cards", key="cards-1")
    before = table_of(game.stack)

    again = generate(game, 120, 5, label="Cards", reference="cards-1")

    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert refused(generate(game, 121, 5, label="Cards", key="cards-1")) == (
        422,
        "Idempotency-Key was already used with a different request",
    )
    assert table_of(game.stack) == before
    assert new_codes(game, 120, 5, label="Cards", key="cards-2") != first.json()["data"]["codes"]


def test_requests_without_a_key_make_a_batch_each(game: Game) -> None:
    one, other = new_codes(game, 2), new_codes(game, 2)

    assert not set(one) & set(other)
    assert counts(game) == (4, 4, 0, 0, 0, 2)


@pytest.mark.both_engines
def test_the_same_key_at_the_same_moment_makes_one_batch(game: Game) -> None:
    def send(_: Api) -> httpx.Response:
        return generate(game, 150, 5, key="cards-1")

    answers = at_once(game.stack, [send] * 4)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert counts(game) == (150, 150, 0, 0, 0, 1)


@pytest.mark.both_engines
def test_i5_a_code_that_is_taken_is_passed_over(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code space is shrunk to twice the number of codes, so that they meet all the time."""

    def few(secret: str, prefix: str, batch_id: str, number: int, attempt: int) -> str:
        return f"{prefix}-{game.slug[-6:]}{(number * 7 + attempt * attempt + len(batch_id)) % 60}"

    monkeypatch.setattr(batches, "batch_code", few)
    first = new_codes(game, 20, key="a")

    second = new_codes(game, 20, key="b")

    assert len({*first, *second}) == 40
    assert new_codes(game, 20, key="b") == second
    assert [data_of(redeem(game, USER, code))["pointsEarned"] for code in second] == [500] * 20


def test_batches_are_listed_newest_first_page_by_page(game: Game) -> None:
    expires = instant_text(game.stack.now_ms() + DAY_MS)
    for number in range(3):
        generate(game, 1, 10 + number, label=f"Batch {number}", expiresAt=expires)
        game.stack.advance(1)

    def page(number: int, limit: int) -> Any:
        query: dict[str, str | int] = {"slug": game.slug, "page": number, "limit": limit}
        return data_of(game.http.get("/v1/campaigns/codes/batches", params=query))

    first, second, third = page(1, 2), page(2, 2), page(3, 2)
    assert [each["pointsValue"] for each in first["batches"]] == [12, 11]
    assert [each["pointsValue"] for each in second["batches"]] == [10]
    assert third == {"batches": [], "total": 3, "page": 3, "limit": 2}
    assert first["batches"][0]["expiresAt"] == expires
    assert (first["total"], second["page"], second["limit"]) == (3, 2, 2)
    assert "codes" not in str(first)


def test_a_redemption_reaches_milestones_on_the_total(stack: Stack) -> None:
    made = mechanics()
    made["milestones"][0]["reward"] = {"points": 50, "badge": "bronze"}
    game = Game.started(stack, made)

    redeemed = data_of(redeem(game, USER, new_codes(game, 1, 1000)[0]))

    assert (redeemed["pointsEarned"], redeemed["totalPoints"]) == (1050, 1050)
    assert redeemed["milestones"] == [
        {"id": "club-1000", "name": "1000 club", "pointsEarned": 50, "badge": "bronze"}
    ]
    assert [line.reason for line in game.ledger(USER)] == ["code", "milestone"]
    sums_are_right(game, USER)


def test_a_code_adds_to_what_a_player_has(game: Game) -> None:
    game.event(USER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(BLANK)))

    assert data_of(redeem(game, USER, new_codes(game)[0]))["totalPoints"] == 600

    sums_are_right(game, USER)


def test_a_repeated_redemption_is_answered_byte_for_byte(game: Game) -> None:
    one, two = new_codes(game, 2)
    first = redeem(game, USER, one, key="r-1")
    before = table_of(game.stack)

    again = redeem(game, USER, one.lower(), key="r-1")

    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert refused(redeem(game, USER, two, key="r-1"))[0] == 422
    assert refused(redeem(game, OTHER, one, key="r-1"))[0] == 422
    assert refused(redeem(game, USER, one)) == (409, "Code status is REDEEMED")
    assert refused(redeem(game, OTHER, one, key="r-2")) == (409, "Code status is REDEEMED")
    assert table_of(game.stack) == before


def test_a_prize_that_was_paid_at_once_is_proved_by_its_code_and_pays_nothing(game: Game) -> None:
    code = a_win(game)
    total = game.player(USER).total_points  # type: ignore[union-attr]

    redeemed = data_of(redeem(game, USER, code))

    assert (redeemed["pointsEarned"], redeemed["totalPoints"]) == (0, total)
    assert redeemed["prizeTier"] == "Gold"
    assert code_item(game, code).status == "REDEEMED"
    assert refused(redeem(game, USER, code)) == (409, "Code status is REDEEMED")
    sums_are_right(game, USER)


def test_a_prize_that_its_code_pays_is_paid_once_to_its_winner(stack: Stack) -> None:
    game = Game.started(stack, paid_by_the_code())
    code = a_win(game)

    someone_else = redeem(game, OTHER, code)
    winner = data_of(redeem(game, USER, code))

    assert refused(someone_else) == (403, "Code belongs to another user")
    assert game.player(OTHER) is None
    assert (winner["pointsEarned"], winner["totalPoints"]) == (500, 600)
    assert [line.reason for line in game.ledger(USER)] == ["rule", "code"]
    sums_are_right(game, USER)


def test_a_code_expires(stack: Stack) -> None:
    game = Game.started(stack, mechanics())
    expires = instant_text(stack.now_ms() + HOUR_MS)
    code, _ = new_codes(game, 2, expiresAt=expires)
    leap(stack, stack.now_ms() + HOUR_MS)

    found = data_of(verify(game, code))

    assert (found["valid"], found["status"]) == (False, "EXPIRED")
    assert found["message"] == "Code status is EXPIRED"
    assert refused(redeem(game, USER, code)) == (409, "Code status is EXPIRED")
    assert counts(game) == (2, 0, 0, 2, 0, 1)
    assert refused(generate(game, 1, 1, expiresAt=expires))[0] == 400


def test_a_code_of_a_batch_ends_with_its_campaign_and_that_of_a_win_does_not(
    stack: Stack,
) -> None:
    ends = instant_text(stack.now_ms() + HOUR_MS)
    game = Game.started(stack, {**paid_by_the_code(), "endsAt": ends})
    (code,), won = new_codes(game), a_win(game)

    leap(stack, stack.now_ms() + 2 * HOUR_MS)

    found, found_won = data_of(verify(game, code)), data_of(verify(game, won))
    assert (found["valid"], found["status"], found["expired"]) == (False, "ACTIVE", True)
    assert found["message"] == "Campaign has ended"
    assert found_won["valid"]
    assert refused(redeem(game, USER, code)) == (404, "Campaign not found or not active")
    assert data_of(redeem(game, USER, won))["pointsEarned"] == 500


def test_a_code_waits_for_its_campaign(stack: Stack) -> None:
    starts = instant_text(stack.now_ms() + HOUR_MS)
    game = Game.started(stack, mechanics(startsAt=starts))
    (code,) = new_codes(game)

    assert data_of(verify(game, code))["message"] == "Campaign is not active"
    assert refused(redeem(game, USER, code)) == (404, "Campaign not found or not active")
    leap(stack, stack.now_ms() + HOUR_MS)
    assert data_of(verify(game, code))["valid"]
    assert data_of(redeem(game, USER, code))["totalPoints"] == 500


@pytest.mark.parametrize("environment", ["live", "test"])
def test_i17_unknown_and_foreign_codes_are_answered_alike(
    game: Game, environment: Environment
) -> None:
    (code,) = new_codes(game)
    elsewhere = Game.started(game.stack, mechanics())

    with of_a_stranger(game, environment) as stranger:
        verify(stranger, code)  # the first one makes the account's secret
        foreign, unknown = verify(stranger, code), verify(stranger, "SUMM-22222222")

        assert foreign.content == unknown.content
        assert data_of(foreign) == UNKNOWN
        assert foreign.headers["x-local-calls"] == unknown.headers["x-local-calls"]
        for path in ("redeem", "events/evt_1/reverse"):
            body = {"userId": USER, "code": code}
            answer = stranger.call("POST", path, body)
            assert answer.status_code == 404
            assert answer.json()["message"].startswith("Campaign ")
        for path in ("batches", "stats"):
            answer = stranger.http.get(f"/v1/campaigns/codes/{path}", params={"slug": game.slug})
            assert refused(answer) == (404, "Campaign not found")
        assert refused(generate(stranger)) == (404, "Campaign not found")
    assert refused(redeem(elsewhere, USER, code)) == (404, "Code not found")
    assert refused(redeem(elsewhere, USER, "SUMM-22222222")) == (404, "Code not found")
    assert counts(game) == (1, 1, 0, 0, 0, 1)


@pytest.mark.parametrize("environment", ["live", "test"])
def test_i17_two_accounts_have_codes_of_their_own_under_the_same_slug(
    game: Game, environment: Environment
) -> None:
    with of_a_stranger(game, environment) as stranger:
        made = stranger.http.post("/v2/campaigns", json={"type": "REFERRAL", "slug": game.slug})
        theirs = Game(game.stack, stranger.http, made.json()["id"], game.slug)
        theirs.set_status("IN_PROGRESS")
        (their_code,), (our_code,) = new_codes(theirs, key="same"), new_codes(game, key="same")

        assert their_code != our_code
        assert refused(redeem(theirs, USER, our_code)) == (404, "Code not found")
        assert refused(redeem(game, USER, their_code)) == (404, "Code not found")
        assert data_of(redeem(theirs, USER, their_code))["totalPoints"] == 500
    assert game.player(USER) is None


@pytest.mark.both_engines
def test_i11_sixteen_at_once_are_paid_once(game: Game) -> None:
    (code,) = new_codes(game)
    users = [f"u{number % 8}" for number in range(16)]
    calls = [partial(_redeem, game, user, code) for user in users]

    answers = at_once(game.stack, calls)

    paid = [answer for answer in answers if answer.status_code == 200]
    assert sum("idempotent-replayed" not in answer.headers for answer in paid) == 1
    assert {answer.content for answer in paid} == {paid[0].content}
    others = [refused(answer) for answer in answers if answer.status_code != 200]
    assert set(others) == {(409, "Code status is REDEEMED")}
    totals = [player.total_points for user in set(users) if (player := game.player(user))]
    assert totals == [500]
    assert counts(game) == (1, 0, 1, 0, 0, 1)


def _redeem(game: Game, user_id: str, code: str, _: Api) -> httpx.Response:
    """Each user has a key of their own, and repeats the request."""
    return redeem(game, user_id, code, key=f"key of {user_id}")


@pytest.mark.both_engines
def test_one_user_redeems_many_codes_at_once(game: Game) -> None:
    codes = new_codes(game, 8, 10)

    answers = at_once(
        game.stack, [partial(lambda code, _: redeem(game, USER, code), code) for code in codes]
    )

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(data_of(each)["totalPoints"] for each in answers) == list(range(10, 90, 10))
    assert counts(game) == (8, 0, 8, 0, 0, 1)
    sums_are_right(game, USER)


def test_guessing_ends_with_a_wait_whether_or_not_the_guess_is_right(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    (code,) = new_codes(game)
    for _ in range(MOST_BY_USER):
        assert refused(redeem(game, USER, "SUMM-22222222"))[0] == 404

    wrong, right = redeem(game, USER, "SUMM-22222222"), redeem(game, USER, code)

    assert refused(wrong) == refused(right) == (429, "Too many requests")
    assert 1 <= int(right.headers["retry-after"]) <= 60
    assert data_of(verify(game, code))["valid"]
    assert data_of(redeem(game, OTHER, new_codes(game)[0]))["totalPoints"] == 500
    fresh_stack.advance(60_000)
    assert data_of(redeem(game, USER, code))["totalPoints"] == 500


def test_the_code_of_another_users_prize_counts_as_a_guess(fresh_stack: Stack) -> None:
    """Or it would tell which codes exist, as often as one likes."""
    game = Game.started(fresh_stack, mechanics())
    won = game.event(OTHER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    foreign, (own,) = won["instantWin"]["winCode"], new_codes(game)
    for _ in range(MOST_BY_USER):
        assert refused(redeem(game, USER, foreign))[0] == 403

    answers = [redeem(game, USER, foreign), redeem(game, USER, own)]

    assert [refused(answer) for answer in answers] == [(429, "Too many requests")] * 2
    fresh_stack.advance(60_000)
    assert data_of(redeem(game, USER, own))["totalPoints"] == 500


def test_wrong_codes_that_are_verified_are_limited_and_stop_nobody_who_redeems(
    fresh_stack: Stack,
) -> None:
    game = Game.started(fresh_stack, mechanics())
    (code,) = new_codes(game)
    for _ in range(MOST_BY_KEY):
        assert data_of(verify(game, "SUMM-22222222")) == UNKNOWN

    assert refused(verify(game, "SUMM-22222222")) == (429, "Too many requests")
    assert refused(verify(game, code))[0] == 429
    assert refused(redeem(game, OTHER, "SUMM-22222222")) == (404, "Code not found")
    assert data_of(redeem(game, USER, code))["totalPoints"] == 500
    fresh_stack.advance(60_000)
    for _ in range(MOST_BY_KEY + 1):
        assert not data_of(verify(game, code))["valid"]


def test_the_wrong_codes_of_others_stop_no_right_one(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    (code,) = new_codes(game)
    won = game.event(OTHER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    for number in range(MOST_BY_KEY):
        guesser = f"guesser-{number // MOST_BY_USER}"
        assert refused(redeem(game, guesser, "SUMM-22222222"))[0] == 404

    wrong = redeem(game, USER, "SUMM-22222222")
    foreign = redeem(game, "another", won["instantWin"]["winCode"])
    right = redeem(game, USER, code)

    assert refused(wrong) == refused(foreign) == (429, "Too many requests")
    assert 1 <= int(wrong.headers["retry-after"]) <= 60
    assert data_of(right)["totalPoints"] == 500
    assert data_of(verify(game, "SUMM-22222222")) == UNKNOWN


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"slug": None}, "slug"),
    ({"batchSize": 0}, "batchSize"),
    ({"batchSize": 10_001}, "batchSize"),
    ({"batchSize": "5"}, "batchSize"),
    ({"batchSize": True}, "batchSize"),
    ({"batchSize": 1.5}, "batchSize"),
    ({"pointsValue": 0}, "pointsValue"),
    ({"pointsValue": -5}, "pointsValue"),
    ({"pointsValue": 10**9 + 1}, "pointsValue"),
    ({"label": "x" * 101}, "label"),
    ({"label": "a\nb"}, "label"),
    ({"expiresAt": "tomorrow"}, "expiresAt"),
    ({"expiresAt": "2030-01-01T00:00:00"}, "expiresAt"),
    ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ({"expiresAt": "9999-12-31T23:59:59-01:00"}, "expiresAt"),
]


def test_what_makes_no_batch_is_refused_by_name_and_writes_nothing(game: Game) -> None:
    new_codes(game)
    before = table_of(game.stack)
    right = {"slug": game.slug, "batchSize": 1, "pointsValue": 1}

    answers = [
        game.http.post("/v1/campaigns/codes/generate", json={**right, **wrong})
        for wrong, _ in WRONG
    ]

    assert {refused(answer) for answer in answers} == {(400, "Invalid request body")}
    named = [[each["field"] for each in answer.json()["errors"]] for answer in answers]
    assert named == [[field] for _, field in WRONG]
    assert table_of(game.stack) == before


def test_refusals_name_what_is_wrong(game: Game) -> None:
    answers = [
        redeem(game, "", "SUMM-22222222"),
        redeem(game, USER, " "),
        game.http.post("/v1/campaigns/codes/verify", json={}),
        game.http.post("/v1/campaigns/codes/verify", json={"code": "x" * 101}),
        game.http.get("/v1/campaigns/codes/stats"),
        game.http.get("/v1/campaigns/codes/batches", params={"slug": game.slug, "limit": 101}),
        game.http.get("/v1/campaigns/codes/batches", params={"slug": game.slug, "page": 0}),
    ]

    fields = [answer.json()["errors"][0]["field"] for answer in answers]

    assert {answer.status_code for answer in answers} == {400}
    assert fields == ["userId", "code", "code", "code", "slug", "limit", "page"]
    nowhere = game.http.get("/v1/campaigns/codes/stats", params={"slug": "no-such-campaign"})
    assert refused(nowhere) == (404, "Campaign not found")
    assert stats(game)["totalCodes"] == 0
