"""Players who are participants: the link, what their events do for referrals, and the other way."""

from __future__ import annotations

import httpx
import pytest

from grapevine.table import event_keys, store
from local.stack import Stack
from tests import accounts
from tests.api import Api, Json, unique_email
from tests.conftest import inside
from tests.invariants import table_of
from tests.playing import Game, mechanics
from tests.reporting import link, referring, report, try_to_link, unlink
from tests.scenarios import at_once, erase, leap

FRIEND, REFERRER = "friend_1", "referrer_1"


@pytest.fixture
def game(stack: Stack) -> Game:
    return Game.started(stack, referring())


@pytest.fixture
def people(game: Game, api: Api) -> tuple[str, str]:
    """The ids of a referrer and of the friend."""
    referrer = api.add(game.campaign_id)["id"]
    return referrer, api.add(game.campaign_id, referredBy=referrer)["id"]


def participant_of(game: Game, user_id: str) -> str | None:
    """Whom a player is linked to; the participant says the same of the player."""
    player = game.player(user_id)
    if player is None or player.participant_id is None:
        return None
    with inside(game.stack):
        item = store.get(event_keys.player_link(game.campaign_id, player.participant_id))
    assert item is not None
    assert item["userId"] == user_id
    return player.participant_id


def referral_counts(api: Api, game: Game, *ids: str) -> list[int]:
    return [api.read(game.campaign_id, one)["referralCount"] for one in ids]


# The link


def test_a_player_is_linked_by_id_or_by_address_and_again_alike(game: Game, api: Api) -> None:
    email = unique_email()
    participant = api.add(game.campaign_id, email)["id"]

    answers = [
        try_to_link(game, "u", participant),
        try_to_link(game, "u", email),
        try_to_link(game, "u", participant),
    ]

    expected = {"status": "success", "data": {"userId": "u", "participantId": participant}}
    assert [one.json() for one in answers] == [expected] * 3
    assert participant_of(game, "u") == participant


def test_a_link_makes_a_player_who_counts_like_others(game: Game, people: tuple[str, str]) -> None:
    game.event("known", "signup")
    link(game, "known", people[0])
    link(game, "new", people[1])

    assert game.event("new", "signup")["totalPoints"] == 50
    assert participant_of(game, "new") == people[1]
    assert game.player("known").total_points == 50  # type: ignore[union-attr]
    board = game.call("GET", "leaderboard").json()["data"]
    assert board["totalParticipants"] == 2


def test_nobody_is_linked_twice(game: Game, people: tuple[str, str]) -> None:
    link(game, "u", people[0])
    before = table_of(game.stack)

    refused = [try_to_link(game, "u", people[1]), try_to_link(game, "other", people[0])]

    assert [one.status_code for one in refused] == [409, 409]
    assert refused[0].json() == {
        "message": "The player or the participant is linked to another one",
        "code": 409,
        "status": "error",
    }
    assert table_of(game.stack) == before


def test_who_is_linked_no_more_can_be_linked_to_others(game: Game, people: tuple[str, str]) -> None:
    link(game, "u", people[0])

    answers = [unlink(game, "u"), unlink(game, "u"), unlink(game, "nobody")]

    assert [one.json()["data"]["participantId"] for one in answers] == [None] * 3
    assert game.player("nobody") is None
    link(game, "u", people[1])
    link(game, "other", people[0])
    assert [participant_of(game, one) for one in ("u", "other")] == [people[1], people[0]]


@pytest.mark.both_engines
def test_links_that_are_made_at_once_leave_one_of_each(game: Game, people: tuple[str, str]) -> None:
    calls = [
        lambda _, user=user, one=one: try_to_link(game, user, one).status_code
        for user in ("a", "b")
        for one in people
        for _ in range(2)
    ]

    statuses = at_once(game.stack, calls, threads=4)

    ends = [participant_of(game, user) for user in ("a", "b")]
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert len({end for end in ends if end}) == len([end for end in ends if end]) >= 1


def test_i9_what_cannot_be_linked_leaves_no_trace(game: Game) -> None:
    before = table_of(game.stack)
    wrong: list[Json] = [
        {},
        {"participantId": "x", "email": "a@x.example"},
        {"participantId": 7},
        {"participantId": "a@x.example"},
        {"participantId": "nobody"},
        {"email": "nobody@x.example"},
    ]

    statuses = [game.call("PUT", "participants/u/link", body).status_code for body in wrong]
    nameless = game.call("PUT", "participants/%20/link", {"participantId": "nobody"})

    assert statuses == [400] * len(wrong)
    assert nameless.status_code in (400, 404)
    assert table_of(game.stack) == before


def test_i17_another_accounts_participants_and_campaigns_are_not_to_be_linked(
    stack: Stack, game: Game
) -> None:
    with accounts.another_account(stack) as foreign:
        campaign_id = foreign.campaign()
        stranger = foreign.add(campaign_id)["id"]
        key = foreign.http.headers["authorization"].removeprefix("Bearer ")
    before = table_of(stack)

    theirs = try_to_link(game, "u", stranger)
    path = f"/v1/campaigns/{game.slug}/participants/u/link"
    ours = [
        httpx.request(method, f"{stack.url}{path}", headers={"x-api-secret": key}, json=body)
        for method, body in (("PUT", {"participantId": stranger}), ("DELETE", None))
    ]

    assert theirs.status_code == 400
    assert [one.status_code for one in ours] == [404, 404]
    assert table_of(stack) == before


def test_a_deleted_participant_leaves_its_player_free(fresh_stack: Stack) -> None:
    game = Game.started(fresh_stack, referring())
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        first, second = (api.add(game.campaign_id)["id"] for _ in range(2))
        link(game, "u", first)
        api.delete(game.campaign_id, first)
        erase(api)

        assert participant_of(game, "u") is None
        link(game, "u", second)

    kept = [item for item in table_of(fresh_stack).values() if item["type"] == "PlayerLink"]
    assert [item["participantId"] for item in kept] == [second]


# Events that earn a credit


def test_a_qualifying_event_credits_the_referrer_once(
    game: Game, api: Api, people: tuple[str, str]
) -> None:
    link(game, FRIEND, people[1])

    for amount in (9.99, 10, 20):
        game.event(FRIEND, "purchase", {"amount": amount})
    game.stack.drain()
    first = referral_counts(api, game, *people)
    game.stack.redeliver("RelayChangesFunction")
    game.stack.drain()

    assert first == referral_counts(api, game, *people) == [1, 0]


def test_no_other_event_credits_anybody(game: Game, api: Api, people: tuple[str, str]) -> None:
    link(game, FRIEND, people[1])

    game.event(FRIEND, "purchase", {"amount": 9.99})
    game.event(FRIEND, "signup", {"amount": 50})
    game.event("not_linked", "purchase", {"amount": 50})
    game.stack.drain()
    unlink(game, FRIEND)
    link(game, "not_linked", people[1])
    game.stack.drain()

    assert referral_counts(api, game, *people) == [0, 0]


def test_what_only_an_app_vouches_for_credits_nobody(stack: Stack, api: Api) -> None:
    game = Game.started(stack, referring(sources=["referd"]))
    public = accounts.new_public_key(stack, str(stack.account_id)).secret
    referrer = api.add(game.campaign_id)["id"]
    link(game, FRIEND, api.add(game.campaign_id, referredBy=referrer)["id"])
    counts = []
    for secret in (None, stack.api_key):
        purchase = {"purchase": {"amount": "20"}}
        report(stack, purchase, player=FRIEND, api_key=public, secret=secret)
        stack.drain()
        counts += referral_counts(api, game, referrer)

    assert counts == [0, 1]


def test_an_event_that_is_taken_back_in_time_credits_nobody(
    game: Game, api: Api, people: tuple[str, str]
) -> None:
    link(game, FRIEND, people[1])
    game.event(FRIEND, "purchase", {"amount": 20})
    (event_id,) = {line.event_id for line in game.ledger(FRIEND)}

    reversed_ = game.call("POST", f"events/{event_id}/reverse", {"userId": FRIEND})
    game.stack.drain()

    assert reversed_.status_code == 200
    assert referral_counts(api, game, *people) == [0, 0]


# Credits that are events


@pytest.fixture
def credited(game: Game, api: Api, people: tuple[str, str]) -> Game:
    """A game whose referrer is a player and has just been credited, which nobody knows yet."""
    game.stack.drain()
    link(game, REFERRER, people[0])
    api.trigger(game.campaign_id, people[1])
    return game


def test_a_credit_is_an_event_of_the_referrers_player(
    credited: Game, people: tuple[str, str]
) -> None:
    credited.stack.drain()
    credited.stack.redeliver("RelayChangesFunction")
    credited.stack.drain()

    assert [(line.source_id, line.points) for line in credited.ledger(REFERRER)] == [("credit", 30)]
    events = [
        item
        for item in table_of(credited.stack).values()
        if item["type"] == "PlayerEvent" and item["campaignId"] == credited.campaign_id
    ]
    assert [(one["source"], one["trust"], one["metadata"]) for one in events] == [
        ("internal", "server", f'{{"referredId":"{people[1]}"}}')
    ]


@pytest.mark.parametrize("calls", [1, 4, 6])
def test_whoever_dies_while_a_credit_becomes_an_event_is_followed_by_another_one(
    credited: Game, calls: int
) -> None:
    with credited.stack.kill_after(calls, "EvaluateEventFunction"):
        credited.stack.drain()
        credited.stack.advance(400_000)
        credited.stack.drain()

    assert [line.points for line in credited.ledger(REFERRER)] == [30]


def test_a_credit_counts_though_the_campaign_has_ended_meanwhile(credited: Game) -> None:
    leap(credited.stack, credited.stack.now_ms() + 5)
    credited.set_status("COMPLETE")
    credited.stack.drain()

    assert [line.points for line in credited.ledger(REFERRER)] == [30]


def test_a_credit_earns_nothing_where_internal_events_are_not_taken(stack: Stack, api: Api) -> None:
    game = Game.started(stack, referring(sources=["gamifyhost"]))
    referrer = api.add(game.campaign_id)["id"]
    link(game, REFERRER, referrer)

    api.trigger(game.campaign_id, api.add(game.campaign_id, referredBy=referrer)["id"])
    stack.drain()

    assert game.player(REFERRER).events_count == 0  # type: ignore[union-attr]
    assert stack.queue_messages("EventQueue") == []


def test_a_credit_earns_nothing_where_no_rule_speaks_of_it(stack: Stack, api: Api) -> None:
    game = Game.started(stack, mechanics(instantWin=None))
    referrer = api.add(game.campaign_id)["id"]
    link(game, REFERRER, referrer)

    api.trigger(game.campaign_id, api.add(game.campaign_id, referredBy=referrer)["id"])
    stack.drain()

    assert game.player(REFERRER).events_count == 0  # type: ignore[union-attr]
