"""Who may do what: the same answers on every route, and no trace in the table."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from grapevine.engine.access import KEY_CACHE_MS
from grapevine.engine.accounts import ALL_SCOPES
from local.stack import Stack
from tests import accounts, post_office
from tests.api import Api
from tests.dialects import GROWSURF, REFERD, Why, all_alike, api_of
from tests.invariants import table_of
from tests.playing import Game, mechanics
from tests.refusals import refusal
from tests.scenarios import leap

READ, WRITE = "participant:read", "participant:write"
WEBHOOKS = "/v2/campaign/{id}/webhooks"
SLUG = "/v1/campaigns/{slug}"
CODES = "/v1/campaigns/codes"
PLAYER = "user_12345"
SCOPES = {
    ("POST", "/v2/campaigns"): "program:write",
    ("GET", "/v2/campaigns"): "program:read",
    ("GET", "/v2/campaign/{id}"): "program:read",
    ("PATCH", "/v2/campaign/{id}"): "program:write",
    ("POST", "/v2/campaign/{id}/clone"): "program:write",
    ("GET", "/v2/campaign/{id}/installation"): "program:read",
    ("PATCH", "/v2/campaign/{id}/installation"): "program:write",
    ("GET", "/v2/campaign/{id}/options"): "program:read",
    ("PATCH", "/v2/campaign/{id}/options"): "program:write",
    ("GET", "/v2/campaign/{id}/emails"): "program:read",
    ("PATCH", "/v2/campaign/{id}/emails"): "program:write",
    ("POST", "/v2/campaign/{id}/participant/{participant}/email"): WRITE,
    ("POST", "/v2/campaign/{id}/participant"): WRITE,
    ("GET", "/v2/campaign/{id}/participants"): READ,
    ("GET", "/v2/campaign/{id}/referrals"): READ,
    ("GET", "/v2/campaign/{id}/participant/{participant}/referrals"): READ,
    ("GET", "/v2/campaign/{id}/participant/{participant}/activity-logs"): READ,
    ("GET", "/v2/campaign/{id}/participant/{participant}/fraud"): READ,
    ("POST", "/v2/campaign/{id}/participant/{participant}/fraud"): WRITE,
    ("POST", "/v2/campaign/{id}/participants/bulk-delete"): "participant:delete",
    ("GET", "/v2/campaign/{id}/leaderboard"): READ,
    ("GET", "/v2/campaign/{id}/leaderboard/{month}"): READ,
    ("GET", "/v2/campaign/{id}/participant/{participant}"): READ,
    ("POST", "/v2/campaign/{id}/participant/{participant}"): WRITE,
    ("DELETE", "/v2/campaign/{id}/participant/{participant}"): "participant:delete",
    ("POST", "/v2/campaign/{id}/participant/{participant}/ref"): WRITE,
    ("DELETE", "/v2/campaign/{id}/participant/{participant}/ref"): WRITE,
    ("POST", "/v2/campaign/{id}/participant/{participant}/invites"): WRITE,
    ("GET", "/v2/campaign/{id}/participant/{participant}/rewards"): "reward:read",
    ("POST", "/v2/campaign/{id}/reward/{rewardId}/approve"): "reward:write",
    ("POST", "/v2/campaign/{id}/reward/{rewardId}/fulfill"): "reward:fulfill",
    ("DELETE", "/v2/campaign/{id}/reward/{rewardId}"): "reward:delete",
    ("GET", "/v2/campaign/{id}/reward-configs"): "program:read",
    ("POST", "/v2/campaign/{id}/reward-configs"): "program:write",
    ("PATCH", "/v2/campaign/{id}/reward-configs/{rewardId}"): "program:write",
    ("DELETE", "/v2/campaign/{id}/reward-configs/{rewardId}"): "program:write",
    ("GET", WEBHOOKS): "program:read",
    ("POST", WEBHOOKS): "program:write",
    ("PATCH", f"{WEBHOOKS}/{{webhookId}}"): "program:write",
    ("DELETE", f"{WEBHOOKS}/{{webhookId}}"): "program:write",
    ("POST", f"{WEBHOOKS}/{{webhookId}}/test"): "program:write",
    ("GET", f"{WEBHOOKS}/{{webhookId}}/deliveries"): "program:read",
    ("POST", f"{WEBHOOKS}/{{webhookId}}/deliveries/{{deliveryId}}/resend"): "program:write",
    ("POST", f"{WEBHOOKS}/{{webhookId}}/recover"): "program:write",
    ("POST", f"{SLUG}/events"): "event:write",
    ("POST", f"{SLUG}/events/preview"): "gamification:read",
    ("GET", f"{SLUG}/mechanics"): "gamification:read",
    ("PUT", f"{SLUG}/mechanics"): "gamification:write",
    ("PUT", f"{SLUG}/participants/{{userId}}/link"): "gamification:write",
    ("DELETE", f"{SLUG}/participants/{{userId}}/link"): "gamification:write",
    ("POST", "/integrations/event"): "event:write",
    ("POST", "/api/v2.0/integrations/event"): "event:write",
    ("POST", "/api/v3.0/integrations/event"): "event:write",
    ("GET", f"{SLUG}/events/{{eventId}}"): "gamification:read",
    ("GET", f"{SLUG}/leaderboard"): "gamification:read",
    ("GET", f"{SLUG}/participants/{{userId}}"): "gamification:read",
    ("GET", f"{SLUG}/participants/{{userId}}/ledger"): "gamification:read",
    ("GET", f"{SLUG}/participants/{{userId}}/milestones"): "gamification:read",
    ("GET", f"{SLUG}/participants/{{userId}}/wins"): "gamification:read",
    ("GET", f"{SLUG}/prizes"): "gamification:read",
    ("GET", f"{SLUG}/stats"): "gamification:read",
    ("GET", f"{SLUG}/wins"): "gamification:read",
    ("POST", f"{CODES}/generate"): "gamification:write",
    ("POST", f"{CODES}/verify"): "event:write",
    ("GET", f"{CODES}/batches"): "gamification:read",
    ("GET", f"{CODES}/stats"): "gamification:read",
    ("POST", f"{SLUG}/redeem"): "event:write",
    ("POST", f"{SLUG}/events/{{eventId}}/reverse"): "gamification:write",
}
ROUTES = list(SCOPES)
# Called by visitors' browsers, without a key: tests/front_door/test_tracking.py.
PUBLIC = [
    ("GET", "/grapevine.js"),
    ("GET", "/r/{campaignId}/{key}"),
    ("OPTIONS", "/track/{action}"),
    ("POST", "/track/impression"),
    ("POST", "/track/share"),
    ("GET", "/unsubscribe/{token}"),
    ("POST", "/unsubscribe/{token}"),
]
IN_A_CAMPAIGN = [route for route in ROUTES if "{id}" in route[1] or "{slug}" in route[1]]
OF_A_PARTICIPANT = [
    route for route in ROUTES if "{participant}" in route[1] or "{userId}" in route[1]
]
# Of Referd's routes a public key may use the one for events.
FOR_SECRET_KEYS = [route for route in ROUTES if api_of(route) is not REFERD]

# What each route would do something with, were the key good.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v2/campaigns"): {"type": "REFERRAL"},
    ("PATCH", "/v2/campaign/{id}"): {"name": "Changed"},
    ("PATCH", "/v2/campaign/{id}/installation"): {"shareUrl": "https://changed.example"},
    ("PATCH", "/v2/campaign/{id}/options"): {"referralCreditWindowDays": 1},
    ("PATCH", "/v2/campaign/{id}/emails"): {"goalAchieved": {"subject": "Changed"}},
    ("POST", "/v2/campaign/{id}/participant/{participant}/email"): {"emailType": "goalAchieved"},
    ("POST", "/v2/campaign/{id}/participant"): {"email": "intruder@example.com"},
    ("POST", "/v2/campaign/{id}/participants/bulk-delete"): {"participants": ["friend@x.example"]},
    ("POST", "/v2/campaign/{id}/participant/{participant}"): {"firstName": "Changed"},
    ("POST", "/v2/campaign/{id}/participant/{participant}/invites"): {
        "emailAddresses": ["invited@x.example"],
        "subjectText": "Join",
        "messageText": "Join us",
    },
    ("POST", "/v2/campaign/{id}/participant/{participant}/fraud"): {"fraudRiskLevel": "HIGH"},
    ("POST", "/v2/campaign/{id}/reward-configs"): {"type": "SINGLE_SIDED"},
    ("PATCH", "/v2/campaign/{id}/reward-configs/{rewardId}"): {"title": "Changed"},
    ("POST", WEBHOOKS): {"payloadUrl": "https://intruder.example"},
    ("PATCH", f"{WEBHOOKS}/{{webhookId}}"): {"isEnabled": False},
    ("POST", f"{WEBHOOKS}/{{webhookId}}/recover"): {"since": 0},
    ("POST", f"{SLUG}/events"): {"userId": "intruder", "eventType": "purchase"},
    ("POST", f"{SLUG}/events/preview"): {"userId": "intruder", "eventType": "purchase"},
    ("POST", f"{CODES}/generate"): {"slug": "summer", "batchSize": 1, "pointsValue": 1},
    ("POST", f"{CODES}/verify"): {"code": "SUMM-AX7K9M2P"},
    ("POST", f"{SLUG}/redeem"): {"userId": PLAYER, "code": "SUMM-AX7K9M2P"},
    ("POST", f"{SLUG}/events/{{eventId}}/reverse"): {"userId": PLAYER},
    ("PUT", f"{SLUG}/mechanics"): {"unknownEventTypes": "reject"},
    ("PUT", f"{SLUG}/participants/{{userId}}/link"): {"email": "friend@x.example"},
    ("POST", "/integrations/event"): {"playerUniqueId": "intruder", "events": {"purchase": {}}},
    ("POST", "/api/v2.0/integrations/event"): {"playerUniqueId": "intruder", "events": {"a": {}}},
    ("POST", "/api/v3.0/integrations/event"): {"playerUniqueId": "intruder", "events": {"a": {}}},
}

# What a route needs in its query before it looks for anything.
QUERIES: dict[tuple[str, str], dict[str, str]] = {
    ("GET", f"{SLUG}/events/{{eventId}}"): {"userId": PLAYER},
}


@dataclass(frozen=True)
class World:
    """One account's campaign with a referrer, a friend and a player, and another account that looks
    at it."""

    stack: Stack
    http: httpx.Client
    owner: str
    key: str
    stranger: str
    stranger_key: str
    campaign_id: str
    slug: str
    friend_id: str

    def call(
        self,
        route: tuple[str, str],
        key: str | None = None,
        *,
        credentials: dict[str, str] | None = None,
        campaign: str | None = None,
        participant: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        """`key` goes where the route's API has it, unless whole `credentials` are given. `campaign`
        is an id or a slug, `participant` an id, an e-mail address or a user id."""
        method, path = route
        target = path.format(
            id=campaign or self.campaign_id,
            slug=campaign or self.slug,
            participant=participant or self.friend_id,
            userId=participant or PLAYER,
            rewardId=f"prew_{self.friend_id}_1",
            webhookId="primary",
            deliveryId="dlv_1800000000000_evt_000000000000000000000000",
            month="2026-08",
            eventId="evt_000000000000000000000000",
        )
        if credentials is None:
            credentials = api_of(route).with_key(key) if key else {}
        if not options and route in BODIES:
            options = {"json": BODIES[route]}
        if route in QUERIES:
            options = {"params": QUERIES[route], **options}
        return self.http.request(method, target, headers=credentials, **options)

    def refused(
        self, route: tuple[str, str], why: Why, key: str | None = None, **options: Any
    ) -> dict[str, Any]:
        """The body of a call that is refused as its API refuses for this reason."""
        scope = SCOPES.get(route, "")
        return api_of(route).refused(self.call(route, key, **options), why, scope)


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    assert stack.account_id is not None
    assert stack.api_key is not None
    game = Game.started(stack, mechanics())
    game.event(PLAYER, "signup")
    with Api(stack.url, stack.api_key) as api:
        post_office.give_settings(stack, game.campaign_id)
        referrer = api.add(game.campaign_id)["id"]
        friend = api.add(game.campaign_id, "friend@x.example", referredBy=referrer)["id"]
    stack.drain()
    stranger = accounts.new_account(stack)
    with Api(stack.url, None) as client:
        yield World(
            stack,
            client.http,
            stack.account_id,
            stack.api_key,
            stranger,
            accounts.new_key(stack, stranger).secret,
            game.campaign_id,
            game.slug,
            friend,
        )


@pytest.fixture
def unchanged(world: World) -> Iterator[None]:
    """The table is the same after the test as it was before it."""
    before = table_of(world.stack)
    yield
    assert table_of(world.stack) == before


def test_the_matrix_covers_every_route_of_the_template(world: World) -> None:
    routes = {(route.method, route.path) for route in world.stack.declared.routes}

    assert {route for route in routes if route[1] != "$default"} == {*ROUTES, *PUBLIC}


# No good key


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_without_a_good_key_nothing_opens(world: World, route: tuple[str, str]) -> None:
    bodies: dict[Why, list[dict[str, Any]]] = defaultdict(list)
    for credentials, why in api_of(route).without_a_good_key(world.key):
        bodies[why].append(world.refused(route, why, credentials=credentials))

    assert bodies.keys() == {"missing", "unknown"}
    assert all(all_alike(each) for each in bodies.values())
    if api_of(route) is GROWSURF:
        assert all_alike([*bodies["missing"], *bodies["unknown"]])


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_key_counts_in_the_header_of_its_own_api_only(
    world: World, route: tuple[str, str]
) -> None:
    others = {each.header: each for each in map(api_of, ROUTES) if each is not api_of(route)}
    credentials = {
        header: value
        for each in others.values()
        for header, value in each.with_key(world.key).items()
    }

    world.refused(route, "missing", credentials=credentials)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", IN_A_CAMPAIGN, ids=" ".join)
def test_a_bad_key_does_not_learn_whether_a_campaign_exists(
    world: World, route: tuple[str, str]
) -> None:
    existing = world.refused(route, "unknown", "wrong")
    unknown = world.refused(route, "unknown", "wrong", campaign="zzzzzz")

    assert existing == unknown


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] != "GET"], ids=" ".join)
def test_the_key_is_looked_at_before_the_body(world: World, route: tuple[str, str]) -> None:
    world.refused(route, "unknown", "wrong", content=b"{{{")
    world.refused(route, "missing", content=b"\xff" * 300_000)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_key_opens_what_its_scopes_allow_and_no_more(
    world: World, route: tuple[str, str]
) -> None:
    lacking = accounts.new_key(world.stack, world.owner, ALL_SCOPES - {SCOPES[route]})
    before = table_of(world.stack)

    world.refused(route, "scope", lacking.secret)

    assert table_of(world.stack) == before
    alone = accounts.new_key(world.stack, world.owner, {SCOPES[route]})
    opened = world.call(route, alone.secret, participant="zzzzzz", content=b"")
    assert opened.status_code in (200, 400, 404)
    _remove(world.stack, lacking.secret, alone.secret)
    _remove_clone(world, opened)


def test_a_public_key_opens_nothing_but_the_door_for_events(world: World) -> None:
    public = accounts.new_public_key(world.stack, world.owner)
    before = table_of(world.stack)

    for route in FOR_SECRET_KEYS:
        world.refused(route, "public", public.secret)

    assert table_of(world.stack) == before
    _remove(world.stack, public.secret)


def _remove(stack: Stack, *secrets: str) -> None:
    """Takes keys away that a test has made, past the API."""
    hashes = {hashlib.sha256(secret.encode()).hexdigest() for secret in secrets}
    for key, item in table_of(stack).items():
        if item.get("keyHash") in hashes:
            _delete(stack, key.partition, key.sort)


def _remove_clone(world: World, opened: httpx.Response) -> None:
    made = opened.json().get("id")
    if made in (None, world.campaign_id):
        return
    for key, item in table_of(world.stack).items():
        if item.get("campaignId") == made:
            _delete(world.stack, key.partition, key.sort)


def _delete(stack: Stack, partition: str, sort: str) -> None:
    stack.dynamodb.delete_item(
        TableName=stack.table_name, Key={"partition": {"S": partition}, "sort": {"S": sort}}
    )


# Other people's things


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", IN_A_CAMPAIGN, ids=" ".join)
def test_a_foreign_campaign_is_closed(world: World, route: tuple[str, str]) -> None:
    """As if the key were wrong where campaigns have ids, as if it were not there where the account
    itself has named it."""
    body = world.refused(route, "foreign", world.stranger_key)

    is_named = "{slug}" in route[1]
    assert body == (
        world.refused(route, "nowhere", world.stranger_key, campaign="zzzzzz")
        if is_named
        else world.refused(route, "unknown", "wrong")
    )


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", OF_A_PARTICIPANT, ids=" ".join)
def test_nobody_learns_who_is_in_a_foreign_campaign(world: World, route: tuple[str, str]) -> None:
    known = PLAYER if "{userId}" in route[1] else world.friend_id
    names = (known, "zzzzzz", "friend@x.example", "nobody@x.example", "%00", "a" * 100)
    # A key that is met for the first time costs a read of its own on some routes.
    world.call(route, world.stranger_key)

    answers = [world.call(route, world.stranger_key, participant=name) for name in names]

    assert all_alike([api_of(route).refused(answer, "foreign") for answer in answers])
    assert len({answer.headers["x-local-calls"] for answer in answers[:2]}) == 1


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", IN_A_CAMPAIGN, ids=" ".join)
@pytest.mark.parametrize("authorized_by", ["owner", "stranger"])
def test_an_unknown_campaign_is_not_found_by_anybody_with_a_key(
    world: World, route: tuple[str, str], authorized_by: str
) -> None:
    key = world.key if authorized_by == "owner" else world.stranger_key

    world.refused(route, "nowhere", key, campaign="zzzzzz")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v2"),
        ("GET", "/v2/"),
        ("PUT", "/v2/campaigns"),
        ("DELETE", "/v2/campaign/{id}"),
        ("PATCH", "/v2/campaign/{id}/participant/{participant}"),
        ("GET", "/v2/campaign/{id}/participant/{participant}/ref"),
        ("GET", "/v2/campaign/{id}/participant/{participant}/nothing"),
        ("GET", "/v2/campaign/{id}/"),
        ("OPTIONS", "/v2/campaigns"),
        ("POST", "/v2/campaign//participant"),
        ("GET", "/V2/campaigns"),
    ],
)
def test_a_route_that_is_not_there_is_not_found_with_and_without_a_key(
    world: World, method: str, path: str
) -> None:
    for key in (None, world.key):
        refusal(world.call((method, path), key), 404)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "/v1/campaigns",
            {"message": "There is no such endpoint.", "code": 404, "status": "error"},
        ),
        ("/integrations/nothing", {"code": 404, "message": "There is no such endpoint."}),
    ],
)
def test_it_is_told_in_the_words_of_the_api_that_it_seems_to_be_of(
    world: World, path: str, told: dict[str, Any]
) -> None:
    answer = world.http.get(path)

    assert (answer.status_code, answer.json()) == (404, told)


# The life of a key


def test_a_revoked_key_closes_every_route(fresh_stack: Stack) -> None:
    assert fresh_stack.account_id is not None
    game = Game.started(fresh_stack, mechanics())
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        friend = api.add(game.campaign_id)["id"]
    key = accounts.new_key(fresh_stack, fresh_stack.account_id)
    accounts.revoke(fresh_stack, fresh_stack.account_id, key)
    before = table_of(fresh_stack)

    with Api(fresh_stack.url, None) as nobody:
        world = World(fresh_stack, nobody.http, "", "", "", "", game.campaign_id, game.slug, friend)
        for route in ROUTES:
            world.refused(route, "revoked", key.secret)

    assert table_of(fresh_stack) == before


def test_a_revocation_reaches_warm_containers_within_the_time_that_is_promised(
    fresh_stack: Stack,
) -> None:
    assert fresh_stack.account_id is not None
    key = accounts.new_key(fresh_stack, fresh_stack.account_id)
    with Api(fresh_stack.url, key.secret) as api:
        api.ok("GET", "/v2/campaigns")
        accounts.revoke(fresh_stack, fresh_stack.account_id, key)

        leap(fresh_stack, fresh_stack.now_ms() + KEY_CACHE_MS)

        refusal(api.call("GET", "/v2/campaigns"), 403)


def test_a_rotated_key_works_until_its_grace_has_passed(fresh_stack: Stack) -> None:
    assert fresh_stack.account_id is not None
    old = accounts.new_key(fresh_stack, fresh_stack.account_id, {"program:read"})
    new = accounts.rotate(fresh_stack, fresh_stack.account_id, old, grace_ms=3_600_000)
    with Api(fresh_stack.url, old.secret) as before, Api(fresh_stack.url, new.secret) as after:
        before.ok("GET", "/v2/campaigns")
        after.ok("GET", "/v2/campaigns")
        refusal(after.call("POST", "/v2/campaigns", {"type": "REFERRAL"}), 403)

        leap(fresh_stack, fresh_stack.now_ms() + 3_600_000)

        refusal(before.call("GET", "/v2/campaigns"), 403)
        after.ok("GET", "/v2/campaigns")


def test_a_rotated_key_that_a_container_remembers_ends_when_its_grace_does(
    fresh_stack: Stack,
) -> None:
    assert fresh_stack.account_id is not None
    old = accounts.new_key(fresh_stack, fresh_stack.account_id)
    accounts.rotate(fresh_stack, fresh_stack.account_id, old, grace_ms=5_000)
    with Api(fresh_stack.url, old.secret) as api:
        api.ok("GET", "/v2/campaigns")

        leap(fresh_stack, fresh_stack.now_ms() + 5_000)

        refusal(api.call("GET", "/v2/campaigns"), 403)


def test_no_key_is_stored_in_clear(world: World) -> None:
    stored = repr(table_of(world.stack))

    for secret in (world.key, world.stranger_key):
        assert secret not in stored
        assert hashlib.sha256(secret.encode()).hexdigest() in stored
