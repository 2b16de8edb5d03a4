"""Who may do what: the same answers on every route, and no trace in the table."""

from __future__ import annotations

import hashlib
import json
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
from tests.invariants import table_of
from tests.refusals import refusal
from tests.scenarios import leap

pytestmark = pytest.mark.one_engine

READ, WRITE = "participant:read", "participant:write"
WEBHOOKS = "/v2/campaign/{id}/webhooks"
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
IN_A_CAMPAIGN = [route for route in ROUTES if "{id}" in route[1]]
OF_A_PARTICIPANT = [route for route in ROUTES if "{participant}" in route[1]]

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
}

MALFORMED = [
    None,
    "",
    "Bearer",
    "bearer wrong-key",
    "Bearer wrong-key",
    "Basic {key}",
    "{key}",
    "Bearer{key}",
    "Bearer {key}x",
    "Bearer {key} {key}",
    "Bearer {key},Bearer {key}",
    'Bearer "{key}"',
    "Token {key}",
    "Bearer " + "x" * 5000,
    "Bearer APIKEY#1",
]


@dataclass(frozen=True)
class World:
    """One account's campaign with a referrer and a friend, and another account that looks at it."""

    stack: Stack
    http: httpx.Client
    owner: str
    key: str
    stranger: str
    stranger_key: str
    campaign_id: str
    friend_id: str

    def call(
        self,
        route: tuple[str, str],
        authorization: str | None,
        *,
        campaign_id: str | None = None,
        participant: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        method, path = route
        target = path.format(
            id=campaign_id or self.campaign_id,
            participant=participant or self.friend_id,
            rewardId=f"prew_{self.friend_id}_1",
            webhookId="primary",
            deliveryId="dlv_1800000000000_evt_000000000000000000000000",
            month="2026-08",
        )
        headers = {} if authorization is None else {"authorization": authorization}
        if not options and route in BODIES:
            options = {"json": BODIES[route]}
        return self.http.request(method, target, headers=headers, **options)


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    assert stack.account_id is not None
    assert stack.api_key is not None
    with Api(stack.url, stack.api_key) as api:
        campaign_id = api.campaign()
        post_office.give_settings(stack, campaign_id)
        referrer = api.add(campaign_id)["id"]
        friend = api.add(campaign_id, "friend@x.example", referredBy=referrer)["id"]
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
            campaign_id,
            friend,
        )


@pytest.fixture
def unchanged(world: World) -> Iterator[None]:
    """The table is the same after the test as it was before it."""
    before = table_of(world.stack)
    yield
    assert table_of(world.stack) == before


def anonymous(body: dict[str, Any]) -> dict[str, Any]:
    """A refusal without what differs from moment to moment."""
    return {name: value for name, value in body.items() if name != "timestamp"}


def test_the_matrix_covers_every_route_of_the_template(world: World) -> None:
    routes = {(route.method, route.path) for route in world.stack.declared.routes}

    assert {route for route in routes if route[1] != "$default"} == {*ROUTES, *PUBLIC}


# No good key


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_without_a_good_key_nothing_opens(world: World, route: tuple[str, str]) -> None:
    bodies = []
    for form in MALFORMED:
        header = form.format(key=world.key) if form else form

        bodies.append(refusal(world.call(route, header), 403))

    assert len({json.dumps(anonymous(body)) for body in bodies}) == 1


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", IN_A_CAMPAIGN, ids=" ".join)
def test_a_bad_key_does_not_learn_whether_a_campaign_exists(
    world: World, route: tuple[str, str]
) -> None:
    existing = refusal(world.call(route, "Bearer wrong"), 403)
    unknown = refusal(world.call(route, "Bearer wrong", campaign_id="zzzzzz"), 403)

    assert anonymous(existing) == anonymous(unknown)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] != "GET"], ids=" ".join)
def test_the_key_is_looked_at_before_the_body(world: World, route: tuple[str, str]) -> None:
    refusal(world.call(route, "Bearer wrong", content=b"{{{"), 403)
    refusal(world.call(route, None, content=b"\xff" * 300_000), 403)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_key_opens_what_its_scopes_allow_and_no_more(
    world: World, route: tuple[str, str]
) -> None:
    lacking = accounts.new_key(world.stack, world.owner, ALL_SCOPES - {SCOPES[route]})
    before = table_of(world.stack)

    body = refusal(world.call(route, f"Bearer {lacking.secret}"), 403)

    assert SCOPES[route] in body["message"]
    assert table_of(world.stack) == before
    alone = accounts.new_key(world.stack, world.owner, {SCOPES[route]})
    opened = world.call(route, f"Bearer {alone.secret}", participant="zzzzzz", content=b"")
    assert opened.status_code in (200, 400, 404)
    _remove(world.stack, lacking.secret, alone.secret)
    _remove_clone(world, opened)


def test_a_public_key_opens_nothing_but_the_door_for_events(world: World) -> None:
    public = accounts.new_public_key(world.stack, world.owner)
    before = table_of(world.stack)

    messages = {
        refusal(world.call(route, f"Bearer {public.secret}"), 403)["message"] for route in ROUTES
    }

    assert messages == {"A public API key can only report events."}
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
    body = refusal(world.call(route, f"Bearer {world.stranger_key}"), 403)

    assert anonymous(body) == anonymous(refusal(world.call(route, "Bearer wrong"), 403))


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", OF_A_PARTICIPANT, ids=" ".join)
def test_nobody_learns_who_is_in_a_foreign_campaign(world: World, route: tuple[str, str]) -> None:
    authorization = f"Bearer {world.stranger_key}"
    names = (world.friend_id, "zzzzzz", "friend@x.example", "nobody@x.example", "%00", "a" * 300)

    answers = [world.call(route, authorization, participant=name) for name in names]

    assert len({json.dumps(anonymous(refusal(answer, 403))) for answer in answers}) == 1
    assert len({answer.headers["x-local-calls"] for answer in answers[:2]}) == 1


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("route", IN_A_CAMPAIGN, ids=" ".join)
@pytest.mark.parametrize("authorized_by", ["owner", "stranger"])
def test_an_unknown_campaign_is_not_found_by_anybody_with_a_key(
    world: World, route: tuple[str, str], authorized_by: str
) -> None:
    key = world.key if authorized_by == "owner" else world.stranger_key

    refusal(world.call(route, f"Bearer {key}", campaign_id="zzzzzz"), 404)


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
    for authorization in (None, f"Bearer {world.key}"):
        refusal(world.call((method, path), authorization), 404)


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
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign()
        friend = api.add(campaign_id)["id"]
    key = accounts.new_key(fresh_stack, fresh_stack.account_id)
    accounts.revoke(fresh_stack, fresh_stack.account_id, key)
    before = table_of(fresh_stack)

    with Api(fresh_stack.url, None) as nobody:
        world = World(fresh_stack, nobody.http, "", "", "", "", campaign_id, friend)
        for route in ROUTES:
            refusal(world.call(route, f"Bearer {key.secret}"), 403)

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
