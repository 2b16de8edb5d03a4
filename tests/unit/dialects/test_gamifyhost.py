"""GamifyHost's requests and answers, through an endpoint as a handler declares it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from grapevine import errors
from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.outcomes import Outcome, Reached
from grapevine.errors import GrapevineError
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import body_of, gamifyhost, of_events
from grapevine.http.idempotency import as_kept
from grapevine.http.models.fields import Limit, Query
from grapevine.http.models.gamifyhost import EventResult, RecordEvent
from grapevine.table.ledger import PlayerEvent, Win
from grapevine.table.players import new_player
from tests.unit.dialects.world import (
    NARROW,
    NOW,
    PUBLIC,
    REVOKED,
    SCOPE,
    SECRET,
    THEIR_SECRET,
    Answer,
    World,
)

EVENT = {"userId": "user_12345", "eventType": "purchase"}
NOT_ACTIVE = {"message": "Campaign not found or not active", "code": 404, "status": "error"}

received: list[Request[RecordEvent, Nothing]] = []
kept: dict[str, str] = {}


def outcome(**fields: Any) -> Outcome:
    player = new_player("summer1", "user_12345", NOW)
    event = PlayerEvent(
        campaign_id="summer1",
        user_id="user_12345",
        event_id="evt_1",
        event_type="purchase",
        at=NOW,
        trust="server",
        source="gamifyhost",
        config_version=1,
        total_points=750,
    )
    given: dict[str, Any] = {
        "points_earned": 100,
        "total_points": 250,
        "has_instant_win": False,
        "played": False,
        "message": None,
        "milestones": (),
        **fields,
    }
    return Outcome(player=player, event=event, lines=(), awards=(), win=None, **given)


WIN = Win(
    campaign_id="summer1",
    user_id="user_12345",
    event_id="evt_1",
    at=NOW,
    tier_id="gold",
    tier_name="Gold",
    points=500,
    credit="immediate",
    code="SUMM-AX7K9M2P",
    expires_at=NOW,
)


@of_events.endpoint(
    "POST /v1/campaigns/{slug}/events", scope=SCOPE, body=RecordEvent, response=EventResult
)
def record(request: Request[RecordEvent, Nothing]) -> EventResult | Response:
    """Answers from `kept` what has a key, as the engine does from its receipts."""
    received.append(request)
    answer = EventResult.of(outcome(), None)
    if request.repetition_key is None:
        return answer
    is_replay = request.repetition_key in kept
    body = kept.setdefault(request.repetition_key, body_of(answer))
    return as_kept(body, is_replay=is_replay)


class Page(Query):
    limit: Limit = 20


@gamifyhost.endpoint(
    "GET /v1/campaigns/{slug}/leaderboard", scope=SCOPE, query=Page, response=EventResult
)
def leaderboard(request: Request[Nothing, Page]) -> EventResult:
    assert request.campaign.slug == request.path["slug"]
    return EventResult.of(outcome(), None)


@pytest.fixture(autouse=True)
def _empty() -> None:
    received.clear()
    kept.clear()


def send(world: World, body: Any = EVENT, slug: str = "summer", **headers: str) -> Answer:
    given = {
        "x-api-secret": SECRET,
        **{name.replace("_", "-"): each for name, each in headers.items()},
    }
    return world.call(record, given, body, path={"slug": slug})


def last() -> Request[RecordEvent, Nothing]:
    return received[-1]


# Keys


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, 401, "Missing X-API-Secret header"),
        ({"x-api-secret": ""}, 401, "Missing X-API-Secret header"),
        ({"x-api-secret": "  "}, 401, "Missing X-API-Secret header"),
        ({"authorization": f"Bearer {SECRET}"}, 401, "Missing X-API-Secret header"),
        ({"x-api-secret": "nobodys"}, 401, "Invalid API key"),
        ({"x-api-secret": REVOKED}, 403, "API key has been revoked"),
        ({"x-api-secret": NARROW}, 403, "The API key lacks the scope event:write."),
        ({"x-api-secret": PUBLIC}, 403, "A public API key can only report events."),
    ],
)
def test_a_key_that_is_not_good_opens_nothing(
    world: World, headers: dict[str, str], status: int, message: str
) -> None:
    answer = world.call(record, headers, EVENT, path={"slug": "summer"})

    assert answer.status == status
    assert answer.text == json.dumps(
        {"message": message, "code": status, "status": "error"}, separators=(",", ":")
    )
    assert not received


@pytest.mark.parametrize("name", ["x-api-secret", "X-API-Secret", "X-Api-Secret"])
def test_the_headers_name_is_written_as_one_likes(world: World, name: str) -> None:
    assert world.call(record, {name: SECRET}, EVENT, path={"slug": "summer"}).status == 200


def test_the_key_is_looked_at_before_the_body_and_the_body_before_the_campaign(
    world: World,
) -> None:
    bad_key = world.call(record, {}, "{{{", path={"slug": "nobodys"})
    bad_body = send(world, "{{{", slug="nobodys")
    bad_header = send(world, slug="nobodys", idempotency_key="")
    bad_slug = send(world, slug="nobodys")

    statuses = [each.status for each in (bad_key, bad_body, bad_header, bad_slug)]
    assert statuses == [401, 400, 400, 404]


# Campaigns


@pytest.mark.parametrize("slug", ["nobodys", "winter", "gone", "SUMMER", "", "a#b", "summer1"])
def test_a_slug_that_is_not_the_accounts_is_the_same_404(world: World, slug: str) -> None:
    answer = send(world, slug=slug)

    assert (answer.status, answer.body) == (404, NOT_ACTIVE)


def test_another_account_does_not_see_the_campaign(world: World) -> None:
    answer = send(world, x_api_secret=THEIR_SECRET)

    assert (answer.status, answer.body) == (404, NOT_ACTIVE)


def test_other_routes_say_it_in_their_words(world: World) -> None:
    answer = world.call(leaderboard, {"x-api-secret": SECRET}, path={"slug": "winter"})

    assert answer.body == {"message": "Campaign not found", "code": 404, "status": "error"}


def test_a_warm_container_reads_nothing_before_the_event_itself(world: World) -> None:
    send(world)
    world.reads = 0

    send(world)
    warm = world.reads
    world.now += CAMPAIGN_CACHE_MS
    send(world)

    assert (warm, world.reads) == (0, 2)
    assert last().campaign.campaign_id == "summer1"


# Bodies


def test_a_whole_event_arrives_as_it_was_sent(world: World) -> None:
    body = '{"userId":"Ünï","eventType":"Buy","metadata":{"amount":49.90,"n":5},"more":[{"x":1}]}'

    assert send(world, body).status == 200

    got = last().body
    assert (got.user_id, got.event_type) == ("Ünï", "Buy")
    assert repr(got.metadata["amount"]) == repr(Decimal("49.90"))
    assert got.metadata == {"amount": Decimal("49.90"), "n": 5}
    assert last().caller.trust == "server"


@pytest.mark.parametrize("body", [EVENT, {**EVENT, "metadata": None}, {**EVENT, "metadata": {}}])
def test_no_metadata_is_empty_metadata(world: World, body: Any) -> None:
    assert send(world, body).status == 200
    assert last().body.metadata == {}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"userId": None}, "userId"),
        ({"userId": 5}, "userId"),
        ({"userId": True}, "userId"),
        ({"userId": ["a"]}, "userId"),
        ({"userId": ""}, "userId"),
        ({"userId": " \t"}, "userId"),
        ({"userId": "u" * 101}, "userId"),
        ({"eventType": None}, "eventType"),
        ({"eventType": {}}, "eventType"),
        ({"eventType": "\u2003"}, "eventType"),
        ({"eventType": "e" * 101}, "eventType"),
        ({"eventType": "internal:referral_credited"}, "eventType"),
        ({"metadata": []}, "metadata"),
        ({"metadata": "amount"}, "metadata"),
        ({"metadata": 0}, "metadata"),
        ({"metadata": False}, "metadata"),
        ({"metadata": {"a": [[1]]}}, "metadata"),
        ({"reference": ""}, "reference"),
        ({"reference": 5}, "reference"),
        ({"reference": "r" * 256}, "reference"),
    ],
)
def test_a_wrong_field_is_named(world: World, fields: Any, wrong: str) -> None:
    answer = send(world, {**EVENT, **fields})

    assert answer.status == 400
    assert list(answer.body) == ["message", "code", "status", "errors"]
    assert (answer.body["message"], answer.body["code"]) == ("Invalid request body", 400)
    assert [each["field"] for each in answer.body["errors"]] == [wrong]
    assert not received


def test_what_is_missing_is_said_to_be_required(world: World) -> None:
    answer = send(world, {})

    assert answer.body["errors"] == [
        {"field": "userId", "message": "is required"},
        {"field": "eventType", "message": "is required"},
    ]


@pytest.mark.parametrize("size", [1, 100])
def test_names_of_any_script_fit(world: World, size: int) -> None:
    assert send(world, {"userId": "名" * size, "eventType": "😀" * size}).status == 200


@pytest.mark.parametrize(
    "body",
    [
        "",
        None,
        "null",
        "[]",
        '"text"',
        "5",
        "{",
        '{"userId":"u","eventType":"e",}',
        '{"userId":"u","eventType":"e","metadata":{"a":NaN}}',
        '{"userId":"u","eventType":"e","metadata":{"a":-Infinity}}',
        '{"userId":"u","userId":"u","eventType":"e"}',
        '{"userId":"u","eventType":"e","metadata":{"a":{"b":1,"b":1}}}',
        '{"userId":"u","eventType":"e","ignored":[{"b":1,"b":2}]}',
        '{"userId":"\\ud800","eventType":"e"}',
        '{"userId":"u","eventType":"e","metadata":{"\\udc00":1}}',
        '{"userId":"u","eventType":"e","metadata":{"a":1e15}}',
        '{"userId":"u","eventType":"e","metadata":{"a":[1e999999999999999999999]}}',
        '{"userId":"u","eventType":"e","metadata":{"a":' + "9" * 5000 + "}}",
        '{"userId":"u","eventType":"e","metadata":' + '{"a":' * 500 + "1" + "}" * 500 + "}",
        '{"userId":"u","eventType":"e","x":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"userId":"u","eventType":"e","x":"' + "x" * 65_536 + '"}',
    ],
)
def test_what_is_no_good_json_object_is_an_invalid_body(world: World, body: str | None) -> None:
    answer = send(world, body)

    assert answer.status == 400
    assert answer.body["message"] == "Invalid request body"
    assert not received


def test_a_body_that_says_it_is_a_form_is_refused(world: World) -> None:
    answer = send(world, "userId=u&eventType=e", content_type="application/x-www-form-urlencoded")

    assert (answer.status, answer.body["message"]) == (400, "Invalid request body")


def test_64_kib_fit(world: World) -> None:
    start = '{"userId":"u","eventType":"e","x":"'

    assert send(world, start + "x" * (65_536 - len(start) - 2) + '"}').status == 200


def test_a_wrong_parameter_is_named(world: World) -> None:
    headers, path = {"x-api-secret": SECRET}, {"slug": "summer"}

    answer = world.call(leaderboard, headers, path=path, query={"limit": "101"})

    assert answer.body == {
        "message": "Invalid request parameters",
        "code": 400,
        "status": "error",
        "errors": [{"field": "limit", "message": "Limit cannot be more than 100."}],
    }


# Repetitions


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("order-1", "order-1"),
        ('"order-1"', "order-1"),
        ("  order-1 ", "order-1"),
        ('"', '"'),
        ('"a', '"a'),
        ("k" * 255, "k" * 255),
        ('"' + "k" * 255 + '"', "k" * 255),
    ],
)
def test_the_key_of_a_repetition_is_read_from_its_header(world: World, sent: str, key: str) -> None:
    assert send(world, idempotency_key=sent).status == 200
    assert last().repetition_key == key


@pytest.mark.parametrize("sent", ["", "  ", '""', "k" * 256])
def test_a_key_that_cannot_be_is_refused(world: World, sent: str) -> None:
    answer = send(world, idempotency_key=sent)

    assert answer.status == 400
    assert answer.body["errors"][0]["field"] == "Idempotency-Key"


def test_a_reference_is_a_key_where_there_is_no_header(world: World) -> None:
    for body, headers in (
        ({**EVENT, "reference": "order-1"}, {}),
        ({**EVENT, "reference": "order-1"}, {"idempotency_key": '"order-1"'}),
        ({**EVENT, "reference": None}, {"idempotency_key": "order-1"}),
    ):
        assert send(world, body, **headers).status == 200
        assert last().repetition_key == "order-1"
    assert send(world).status == 200
    assert last().repetition_key is None


def test_two_keys_that_differ_are_refused(world: World) -> None:
    answer = send(world, {**EVENT, "reference": "order-1"}, idempotency_key="order-2")

    assert answer.status == 400
    assert answer.body["errors"][0]["field"] == "reference"


def test_a_replay_is_the_first_answer_byte_for_byte_and_says_so(world: World) -> None:
    first = send(world, idempotency_key="order-1")
    again = send(world, idempotency_key="order-1")

    assert (again.status, again.text) == (200, first.text)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"


# Answers


def test_a_win_is_the_documented_answer() -> None:
    message = "Congratulations! You won the Gold prize!"
    won = outcome(total_points=750, has_instant_win=True, played=True, message=message)

    assert body_of(EventResult.of(won, WIN)) == json.dumps(
        {
            "status": "success",
            "data": {
                "pointsEarned": 100,
                "totalPoints": 750,
                "instantWin": {
                    "won": True,
                    "prizeTier": "Gold",
                    "pointsEarned": 500,
                    "winCode": "SUMM-AX7K9M2P",
                    "message": "Congratulations! You won the Gold prize!",
                },
                "message": "Event recorded successfully",
            },
        },
        separators=(",", ":"),
    )


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, {}),
        (
            {"has_instant_win": True, "played": True, "message": "Better luck next time!"},
            {"instantWin": {"won": False, "message": "Better luck next time!"}},
        ),
        (
            {"has_instant_win": True, "message": "This event does not include a play"},
            {
                "instantWin": {
                    "won": False,
                    "played": False,
                    "message": "This event does not include a play",
                }
            },
        ),
        (
            {"milestones": (Reached(id="m", name="M", points_earned=0, badge=None, times=1),)},
            {"milestones": [{"id": "m", "name": "M", "pointsEarned": 0, "badge": None}]},
        ),
    ],
)
def test_what_did_not_happen_is_left_out(fields: Any, shown: Any) -> None:
    data = json.loads(body_of(EventResult.of(outcome(**fields), None)))["data"]

    assert list(data.items()) == [
        ("pointsEarned", 100),
        ("totalPoints", 250),
        *shown.items(),
        ("message", "Event recorded successfully"),
    ]
    assert list(data.get("instantWin", {})) == list(shown.get("instantWin", {}))


# Refusals of the engine


@pytest.mark.parametrize(
    ("error", "status", "message", "headers"),
    [
        (errors.CampaignNotActive(), 404, "Campaign not found or not active", {}),
        (errors.PlayLimitReached(), 409, "User has exceeded maximum plays", {}),
        (errors.CodeNotRedeemable("EXPIRED"), 409, "Code status is EXPIRED", {}),
        (
            errors.KeyReused(),
            422,
            "Idempotency-Key was already used with a different request",
            {},
        ),
        (errors.LimitReached("why", 30), 429, "Too many requests", {"retry-after": "30"}),
        (errors.Busy(), 503, "Temporarily busy, retry the request", {"retry-after": "1"}),
        (errors.InvalidRequest("Self-referral not allowed"), 400, "Self-referral not allowed", {}),
        (errors.SettingMissing("SECRET"), 500, "Internal server error", {}),
    ],
)
def test_a_refusal_has_its_status_and_words(
    error: GrapevineError, status: int, message: str, headers: dict[str, str]
) -> None:
    refused = of_events.refusal(error)

    assert json.loads(refused.body) == {"message": message, "code": status, "status": "error"}
    assert (refused.status, refused.headers) == (status, headers)


def test_an_event_type_that_is_not_known_is_a_wrong_field() -> None:
    refused = of_events.refusal(errors.UnknownEventType("buy"))

    assert refused.status == 400
    assert json.loads(refused.body)["errors"][0]["field"] == "eventType"


def test_every_refusal_of_the_engine_is_answered_as_one() -> None:
    """What is made for another API is no failure of ours here."""
    refused = of_events.refusal(errors.InvalidRewardState("No."))

    assert refused.status == 400


# The log


@gamifyhost.endpoint("GET /v1/busy", scope=SCOPE, response=EventResult)
def busy(_: Request[Nothing, Nothing]) -> EventResult:
    raise errors.Busy


@gamifyhost.endpoint("GET /v1/broken", scope=SCOPE, response=EventResult)
def broken(_: Request[Nothing, Nothing]) -> EventResult:
    raise ZeroDivisionError(SECRET)


@pytest.mark.parametrize(("handler", "status", "defects"), [(busy, 503, 0), (broken, 500, 1)])
def test_contention_is_no_defect_and_a_defect_is_told_without_what_it_says(
    world: World, caplog: pytest.LogCaptureFixture, handler: Any, status: int, defects: int
) -> None:
    answer = world.call(handler, {"x-api-secret": SECRET})

    assert answer.status == status
    assert [record.message for record in caplog.records].count("defect") == defects
    assert SECRET not in repr([vars(record) for record in caplog.records])
    assert SECRET not in answer.text
