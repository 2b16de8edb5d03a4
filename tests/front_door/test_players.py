"""Players as the GamifyHost API shows them: points, ledger, wins, milestones, prizes, events."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from grapevine import runtime
from grapevine.engine.mechanics import reading
from grapevine.table.accounts import Environment
from local.stack import Stack
from tests import accounts
from tests.api import TLS, Json
from tests.conftest import inside
from tests.playing import BLANK, GOLD, SILVER, Game, mechanics
from tests.scenarios import DAY_MS, leap

USER = "user_12345"
STRANGE = ["50%", "%2F", "a%20b", "#1", "a b+c", "ä ß 🎈", "x=1&y", "\u202e."]


@pytest.fixture
def game(stack: Stack) -> Game:
    return Game.started(stack, mechanics())


def read(game: Game, path: str, **params: Any) -> Json:
    response = game.call("GET", path, params=params)
    assert response.status_code == 200, response.text
    body: Json = response.json()
    assert body["status"] == "success"
    data: Json = body["data"]
    return data


def of_user(user_id: str, part: str = "") -> str:
    return f"participants/{quote(user_id, safe='')}{part}"


def pages(game: Game, path: str, name: str, **params: Any) -> list[Json]:
    """All pages of a list, one after the other."""
    rows, cursor = [], None
    while True:
        data = read(game, path, **params, **({"cursor": cursor} if cursor else {}))
        rows += data[name]
        if (cursor := data["nextCursor"]) is None:
            return rows


def test_a_player_is_shown_as_documented(game: Game) -> None:
    game.event(USER, "signup")

    response = game.call("GET", of_user(USER))

    assert list(response.json()["data"]) == [
        "userId",
        "displayName",
        "totalPoints",
        "eventsCount",
        "rank",
        "joinedAt",
    ]
    joined_at = response.json()["data"]["joinedAt"]
    assert response.json() == {
        "status": "success",
        "data": {
            "userId": USER,
            "displayName": None,
            "totalPoints": 50,
            "eventsCount": 1,
            "rank": 1,
            "joinedAt": joined_at,
        },
    }
    assert joined_at.endswith("Z")


@pytest.mark.parametrize("part", ["", "/ledger", "/wins", "/milestones"])
def test_who_is_unknown_or_cannot_be_is_not_found(game: Game, part: str) -> None:
    for user_id in ("nobody", " ", "x" * 101, "%00", "\x7f"):
        response = game.call("GET", of_user(user_id, part))

        assert response.status_code == 404
        assert response.json()["message"] == "Campaign or participant not found"


@pytest.mark.parametrize("user_id", STRANGE)
def test_a_user_id_may_hold_anything(game: Game, user_id: str) -> None:
    game.event(user_id, "signup")

    # httpx would take `..` out of a path that it is given as text.
    url = f"{game.stack.url}/v1/campaigns/{game.slug}/{of_user(user_id)}"
    request = httpx.Request("GET", url, headers=game.http.headers)
    shown = game.http.send(request).json()["data"]

    assert shown["userId"] == user_id
    assert shown["totalPoints"] == 50
    board = read(game, "leaderboard", userId=user_id)
    assert board["participant"]["userId"] == board["entries"][0]["userId"] == user_id


@pytest.mark.parametrize("user_id", ["a/b", "../..", "?x=1&y"])
def test_a_user_id_with_a_slash_or_a_question_mark_stands_in_no_path(
    game: Game, user_id: str
) -> None:
    """API Gateway decodes a path before it looks for a route."""
    game.event(user_id, "signup")

    url = f"{game.stack.url}/v1/campaigns/{game.slug}/{of_user(user_id)}"
    request = httpx.Request("GET", url, headers=game.http.headers)

    assert game.http.send(request).status_code == 404
    participant = read(game, "leaderboard", userId=user_id)["participant"]
    assert (participant["userId"], participant["totalPoints"]) == (user_id, 50)


def test_ids_that_decode_to_each_other_are_different_players(game: Game) -> None:
    for times, user_id in enumerate(["a b", "a%20b", "a%2520b", "a+b"], start=1):
        for _ in range(times):
            game.event(user_id, "purchase", {"amount": 10})

    counts = [
        read(game, of_user(user_id))["eventsCount"]
        for user_id in ("a b", "a%20b", "a%2520b", "a+b")
    ]

    assert counts == [1, 2, 3, 4]


def test_the_ledger_is_the_documented_one(game: Game) -> None:
    game.event(USER, "signup")
    game.event(USER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))

    ledger = read(game, of_user(USER, "/ledger"))

    assert [
        (each["points"], each["reason"], each["ruleId"], each["eventType"], each["balanceAfter"])
        for each in ledger["entries"]
    ] == [
        (500, "instant_win", "gold", "purchase", 650),
        (100, "rule", "purchase-flat", "purchase", 150),
        (50, "rule", "signup", "signup", 50),
    ]
    assert len({each["id"] for each in ledger["entries"]}) == 3
    assert ledger["totalPoints"] == 650
    assert ledger["nextCursor"] is None
    assert set(ledger["entries"][0]) == {
        *("id", "points", "reason", "ruleId", "eventId", "eventType", "balanceAfter", "createdAt")
    }


def test_events_of_one_moment_stand_in_the_order_of_their_balances(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of an event that was begun before one that was faster."""
    blanks = game.keys_that_draw(BLANK)
    now = runtime.now_ms()
    for ahead in (0, 0, 0, 5, 0, 0, 3):
        monkeypatch.setattr(runtime, "now_ms", lambda at=now + ahead: at)
        game.event(USER, "purchase", {"amount": 20}, key=next(blanks))

    for limit in (1, 3, 100):
        lines = pages(game, of_user(USER, "/ledger"), "entries", limit=limit)

        assert [each["balanceAfter"] for each in lines] == [700, 600, 500, 400, 300, 200, 100]


def test_a_ledger_can_be_read_by_reason(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_AT_ONCE", 2)
    game.event(USER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    for _ in range(5):
        game.event(USER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(BLANK)))

    wins = pages(game, of_user(USER, "/ledger"), "entries", type="instant_win")
    rules = pages(game, of_user(USER, "/ledger"), "entries", type="rule", limit=1)

    assert [each["ruleId"] for each in wins] == ["gold"]
    assert {each["reason"] for each in rules} == {"rule"}


@pytest.mark.parametrize("part", ["participants/user_12345/ledger", "wins"])
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "",
        ".",
        "1.evt_1",
        "000000000000001",
        "WIN#000000000000001#evt_1",
        "00000000000000\u0661.evt_1",
        "000000000000001.evt#1",
        "000000000000001.evt_1.1",
        "9" * 200,
        "\ud83c",
    ],
)
def test_a_cursor_that_never_was_one_is_refused(game: Game, part: str, cursor: str) -> None:
    game.event(USER, "signup")

    response = game.call("GET", part, params={"cursor": cursor.encode("utf-8", "replace")})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "cursor"


def test_a_cursor_of_elsewhere_shows_no_foreign_lines(game: Game) -> None:
    game.event(USER, "signup")
    game.event("other", "signup")

    early = read(game, of_user(USER, "/ledger"), cursor="000000000000000.evt_1.00")
    late = read(game, of_user(USER, "/ledger"), cursor="999999999999999.evt_1.00")

    assert early["entries"] == []
    assert len(late["entries"]) == 1


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("leaderboard", {"limit": 0}),
        ("leaderboard", {"limit": 101}),
        ("leaderboard", {"limit": "x"}),
        ("leaderboard", {"period": "week"}),
        ("leaderboard", {"userId": " "}),
        ("leaderboard", {"userId": "x" * 101}),
        (f"participants/{USER}", {"expand": "all"}),
        (f"participants/{USER}/ledger", {"type": "gift"}),
        (f"participants/{USER}/ledger", {"limit": -1}),
        (f"participants/{USER}/wins", {"limit": "1e1"}),
        ("wins", {"from": "yesterday"}),
        ("wins", {"to": "2026-01-01"}),
        ("events/evt_1", {}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(game: Game, path: str, params: Json) -> None:
    game.event(USER, "signup")

    response = game.call("GET", path, params=params)

    assert response.status_code == 400
    assert response.json()["message"] == "Invalid request parameters"


def test_wins_are_shown_with_what_became_of_their_codes(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, mechanics())
    won = {}
    for user_id, draws in (("ann", GOLD), ("bob", SILVER), ("cy", BLANK)):
        key = next(game.keys_that_draw(draws))
        won[user_id] = game.event(user_id, "purchase", {"amount": 20}, key=key)["instantWin"]
    fresh_stack.drain()

    (win,) = read(game, of_user("ann", "/wins"))["wins"]

    assert win == {
        "id": win["id"],
        "userId": "ann",
        "prizeTier": "Gold",
        "tierId": "gold",
        "pointsEarned": 500,
        "winCode": won["ann"]["winCode"],
        "codeStatus": "ACTIVE",
        "eventId": win["eventId"],
        "wonAt": win["wonAt"],
        "expiresAt": win["expiresAt"],
    }
    assert read(game, of_user("cy", "/wins")) == {"wins": [], "nextCursor": None}
    of_all = pages(game, "wins", "wins", limit=1)
    assert sorted(each["userId"] for each in of_all) == ["ann", "bob"]
    assert [each["userId"] for each in pages(game, "wins", "wins", tier="Silver")] == ["bob"]
    assert [each["userId"] for each in pages(game, "wins", "wins", tier="gold")] == ["ann"]
    assert pages(game, "wins", "wins", tier="nothing") == []
    last, first = (each["wonAt"] for each in of_all)
    assert last >= first
    assert pages(game, "wins", "wins", **{"from": first, "to": last}) == of_all
    assert pages(game, "wins", "wins", **{"from": last}) == of_all[: 1 + (last == first)]
    assert pages(game, "wins", "wins", to="2001-01-01T00:00:00Z") == []
    assert pages(game, "wins", "wins", **{"from": "2100-01-01T00:00:00Z"}) == []
    assert pages(game, "wins", "wins", **{"from": first, "to": "2001-01-01T00:00:00Z"}) == []
    with inside(fresh_stack):
        leap(fresh_stack, runtime.now_ms() + 31 * DAY_MS)
    assert {each["codeStatus"] for each in read(game, "wins")["wins"]} == {"EXPIRED"}


def test_milestones_show_how_far_a_player_is(stack: Stack) -> None:
    made = mechanics()
    made["milestones"] = [
        *made["milestones"],
        {
            "id": "logins",
            "name": "Logins",
            "metric": {"type": "event_count", "eventType": "signup"},
            "threshold": 2,
            "repeat": True,
        },
        {
            "id": "streak",
            "name": "Streak",
            "metric": {"type": "streak", "eventType": "signup"},
            "threshold": 7,
        },
        {
            "id": "spent",
            "name": "Spent",
            "metric": {"type": "metadata_sum", "eventType": "signup", "field": "amount"},
            "threshold": 1,
        },
    ]
    game = Game.started(stack, made)
    for _ in range(5):
        game.event(USER, "signup", {"amount": 0.1})

    data = read(game, of_user(USER, "/milestones"))
    expanded = read(game, of_user(USER), expand="progress")

    last = data["milestones"][1].pop("reachedAt")
    assert last is not None
    assert data["milestones"] == [
        {
            "id": "club-1000",
            "name": "1000 club",
            "current": 50,
            "threshold": 1000,
            "percent": 5,
            "reachedCount": 0,
            "reachedAt": None,
        },
        {
            "id": "logins",
            "name": "Logins",
            "current": 5,
            "threshold": 2,
            "percent": 50,
            "reachedCount": 2,
        },
        {
            "id": "streak",
            "name": "Streak",
            "current": 1,
            "longest": 1,
            "threshold": 7,
            "percent": 14,
            "reachedCount": 0,
            "reachedAt": None,
        },
        {
            "id": "spent",
            "name": "Spent",
            "current": 0.5,
            "threshold": 1,
            "percent": 50,
            "reachedCount": 0,
            "reachedAt": None,
        },
    ]
    assert [each["id"] for each in expanded["progress"]] == [
        "club-1000",
        "logins",
        "streak",
        "spent",
    ]


def test_prizes_and_figures_tell_what_is_left(stack: Stack) -> None:
    made = mechanics()
    made["instantWin"]["tiers"][1] |= {"inventory": None, "perDay": 3}
    game = Game.started(stack, made)
    for user_id, draws in (("ann", GOLD), ("bob", SILVER)):
        game.event(user_id, "purchase", {"amount": 20}, key=next(game.keys_that_draw(draws)))

    prizes = read(game, "prizes")["prizes"]

    gold = {"id": "gold", "name": "Gold", "points": 500, "inventory": 10, "awarded": 1}
    silver = {"id": "silver", "name": "Silver", "points": 50, "inventory": None, "awarded": 1}
    assert prizes == [
        {**gold, "remaining": 9, "perDay": None, "awardedToday": None},
        {**silver, "remaining": None, "perDay": 3, "awardedToday": 1},
    ]
    assert read(game, "stats") == {"participants": 2, "prizes": prizes}


def test_without_mechanics_there_is_nothing_to_win(stack: Stack) -> None:
    game = Game.started(stack)

    assert read(game, "prizes") == {"prizes": []}
    assert read(game, "stats") == {"participants": 0, "prizes": []}
    assert read(game, "leaderboard") == {"entries": [], "totalParticipants": 0}


def test_an_event_is_told_with_what_came_of_it(game: Game) -> None:
    game.event(USER, "signup")
    key = next(game.keys_that_draw(GOLD))
    game.event(USER, "purchase", {"amount": 49.99, "tags": ["a"]}, key=key)
    lines = read(game, of_user(USER, "/ledger"))["entries"]
    event_id = lines[0]["eventId"]

    event = read(game, f"events/{event_id}", userId=USER)

    assert (event["id"], event["userId"], event["eventType"]) == (event_id, USER, "purchase")
    assert event["metadata"] == {"amount": 49.99, "tags": ["a"]}
    assert event["ledger"] == [lines[1], lines[0]]
    assert (event["pointsEarned"], event["totalPoints"]) == (100, 650)
    drawn = event["instantWin"]
    assert drawn["draw"] in GOLD
    assert (drawn["played"], drawn["tierHit"], drawn["tierWon"]) == (True, "gold", "gold")
    for other, whose in ((event_id, "other"), ("evt_none", USER), ("a b", USER)):
        refused = game.call("GET", f"events/{quote(other)}", params={"userId": whose})
        assert refused.status_code == 404
        assert refused.json()["message"] == "Campaign or event not found"


def test_a_reversal_is_told_with_its_event_and_its_code_with_the_win(game: Game) -> None:
    game.event(USER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    event_id = read(game, of_user(USER, "/ledger"))["entries"][0]["eventId"]
    assert read(game, f"events/{event_id}", userId=USER)["reversal"] is None

    undone = game.call("POST", f"events/{event_id}/reverse", {"userId": USER})

    assert undone.status_code == 200, undone.text
    event = read(game, f"events/{event_id}", userId=USER)
    assert (event["reversal"]["points"], event["reversal"]["uncovered"]) == (600, 0)
    assert event["reversal"]["codeStatus"] == "REVOKED"
    lines = read(game, of_user(USER, "/ledger"))["entries"]
    assert event["ledger"] == lines[::-1]
    assert [each["balanceAfter"] for each in lines] == [0, 100, 600, 100]
    assert len({each["id"] for each in lines}) == 4
    (win,) = read(game, of_user(USER, "/wins"))["wins"]
    assert win["codeStatus"] == "REVOKED"
    assert len(pages(game, of_user(USER, "/ledger"), "entries", type="reversal", limit=1)) == 2


def test_what_a_player_has_can_be_read_after_the_campaign_has_ended(game: Game) -> None:
    game.event(USER, "signup")
    game.set_status("COMPLETE")

    assert read(game, of_user(USER))["totalPoints"] == 50
    assert read(game, "leaderboard")["totalParticipants"] == 1


@pytest.mark.parametrize("environment", ["live", "test"])
def test_i17_other_accounts_see_nothing_of_a_campaign_with_the_same_slug(
    game: Game, environment: Environment
) -> None:
    game.event(USER, "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    event_id = read(game, of_user(USER, "/ledger"))["entries"][0]["eventId"]
    stranger = accounts.new_account(game.stack, environment)
    key = accounts.new_key(game.stack, stranger).secret
    http = httpx.Client(
        base_url=game.stack.url,
        headers={"x-api-secret": key, "authorization": f"Bearer {key}"},
        verify=TLS,
    )
    base = f"/v1/campaigns/{game.slug}"
    sent = {"userId": USER, "eventType": "signup"}
    assert http.post(f"{base}/events", json=sent).status_code == 404
    made = http.post("/v2/campaigns", json={"type": "REFERRAL", "slug": game.slug})
    assert made.status_code == 200

    answers = {
        path: http.get(f"{base}/{path}", params={"userId": USER})
        for path in (
            *(of_user(USER, part) for part in ("", "/ledger", "/wins", "/milestones")),
            f"events/{event_id}",
        )
    }

    assert {response.status_code for response in answers.values()} == {404}
    assert http.get(f"{base}/wins").json()["data"]["wins"] == []
    board = http.get(f"{base}/leaderboard", params={"userId": USER}).json()["data"]
    assert (board["entries"], board["participant"]) == ([], None)
    assert board["totalParticipants"] == 0
    theirs = Game(game.stack, http, made.json()["id"], game.slug)
    theirs.set_status("IN_PROGRESS")
    # What a container remembers of the one account's slug is no other one's.
    assert theirs.event("theirs", "signup")["totalPoints"] == 0
    assert game.event("ours", "signup")["totalPoints"] == 50
    assert [each.player("theirs") is None for each in (game, theirs)] == [True, False]
    assert [each.player("ours") is None for each in (game, theirs)] == [False, True]
