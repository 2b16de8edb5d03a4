"""Thousands of requests that nobody sends by accident: no 5xx, and every answer as documented.

Schemathesis makes requests from the OpenAPI document, valid ones and broken ones; the key, the
campaign and the participant in them are mostly real, so that they get past the door. A second
part puts each of a list of nasty values into each field of each body.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from local.stack import Stack
from tests import post_office, reporting, visitors
from tests.api import Api, unique_email
from tests.dialects import api_of, is_said_in_its_own_words
from tests.mailing import TEMPLATES
from tests.playing import Game, mechanics

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_bytes())
OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]


def without_keys(document: dict[str, Any]) -> dict[str, Any]:
    """The document without a word of keys. With it, a key is what most broken requests lack, and
    Schemathesis takes it out again at the last moment: they would never get past the door."""
    open_one: dict[str, Any] = json.loads(json.dumps(document))
    del open_one["components"]["securitySchemes"]
    for methods in open_one["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return open_one


def is_breakable(operation: dict[str, Any]) -> bool:
    """Whether a request can be wrong, its key aside. In the path and query of a public one
    anything is as good as anything else, and so is any text in a path."""
    if "requestBody" in operation:
        return True
    if operation.get("security") == []:
        return False
    limits = {"enum", "pattern", "format", "minLength", "maxLength"}
    return any(
        each["in"] != "path"
        or each["schema"].get("type") != "string"
        or limits & each["schema"].keys()
        for each in operation.get("parameters", ())
    )


SCHEMA = schemathesis.openapi.from_dict(without_keys(DOCUMENT))
BREAKABLE = [
    (method, path) for method, path in OPERATIONS if is_breakable(DOCUMENT["paths"][path][method])
]
CASES_PER_OPERATION = 40
LEAST_CASES_PER_MODE = 1_500
PLAYER = "user_12345"

# The same cases every time: a failure is one of the change that shows it.
RUN = settings(
    max_examples=CASES_PER_OPERATION,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Answer(Protocol):
    """What `requests` and `httpx` have in common."""

    @property
    def status_code(self) -> int: ...
    @property
    def text(self) -> str: ...
    def json(self) -> Any: ...


@cache
def validator(method: str, path: str, status: str) -> jsonschema_rs.Validator:
    answer = DOCUMENT["paths"][path][method]["responses"][status]
    schema = answer["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]})


def as_documented(method: str, path: str, answer: Answer) -> None:
    """Not a failure of ours, one of the documented statuses, and a body of that status's form."""
    assert answer.status_code < 500, answer.text
    documented = DOCUMENT["paths"][path][method]["responses"]
    assert str(answer.status_code) in documented, f"{answer.status_code}: {answer.text}"
    if "content" not in documented[str(answer.status_code)]:
        return
    body = answer.json()
    problems = list(validator(method, path, str(answer.status_code)).iter_errors(body))
    assert not problems, problems[0].message
    if answer.status_code >= 400:
        assert is_said_in_its_own_words(path, answer.status_code, body)


@contextmanager
def telling(what: Callable[[], str]) -> Iterator[None]:
    """A failure inside names the request that brought it about."""
    try:
        yield
    except AssertionError as wrong:
        raise AssertionError(f"{wrong}\n{what()}") from None


class Target:
    """A campaign with two participants in it, whatever happens to them. With `they_stay`, nothing
    that is sent there can delete them, so nobody has to look."""

    def __init__(self, stack: Stack, api: Api, *, they_stay: bool = False) -> None:
        self.stack, self.api, self._they_stay = stack, api, they_stay
        self.campaign_id = api.campaign(installation={"shareUrl": visitors.ORIGIN})
        post_office.give_settings(stack, self.campaign_id)
        self._participants: list[str] = []
        self._reward: str | None = None
        self.first = api.add(self.campaign_id)["id"]

    def participant(self) -> str:
        """An id that exists at this moment."""
        for known in self._participants:
            if self._they_stay:
                return known
            path = f"/v2/campaign/{self.campaign_id}/participant/{known}"
            if self.api.call("GET", path).status_code == 200:
                return known
        referrer: str = self.api.add(self.campaign_id)["id"]
        friend: str = self.api.add(self.campaign_id, referredBy=referrer)["id"]
        self._participants = [friend, referrer]
        return friend

    def reward(self) -> str:
        """The id of a reward that the campaign offers."""
        if self._reward is None:
            path = f"/v2/campaign/{self.campaign_id}/reward-configs"
            self._reward = str(self.api.ok("POST", path, {"type": "SINGLE_SIDED"})["id"])
        return self._reward

    @cached_property
    def game(self) -> Game:
        """A campaign with mechanics and a player."""
        game = Game.started(self.stack, mechanics())
        game.event(PLAYER, "signup")
        return game


def aimed(case: Case[Any], target: Target, aim: set[str], guess: str | None) -> Case[Any]:
    """The case with a real key, campaign or participant, as far as `aim` has them; without a real
    key with the guessed one, if there is any."""
    # These frame the message: with others in them there is no request that an API could answer.
    for name in ("Connection", "Content-Length", "Transfer-Encoding"):
        case.headers.pop(name, None)
    key = str(target.stack.api_key) if "key" in aim else guess
    if key is not None:
        case.headers.update(api_of((case.method, case.operation.path)).with_key(key))
    for name in {"id", "campaignId"} & case.path_parameters.keys():
        if "campaign" in aim:
            case.path_parameters[name] = target.campaign_id
    if "campaign" in aim and "slug" in case.path_parameters:
        case.path_parameters["slug"] = target.game.slug
    if "participant" in aim and "participant" in case.path_parameters:
        case.path_parameters["participant"] = target.participant()
    if "participant" in aim and "userId" in case.path_parameters:
        case.path_parameters["userId"] = PLAYER
    return case


# Seven of eight get past the door.
AIMS = st.sampled_from(
    [{"key", "campaign", "participant"}] * 6 + [{"key", "campaign"}, {"participant"}]
)
GUESSES = st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
AT_THE_DOOR = {401, 403}


def attacked(
    method: str, path: str, mode: GenerationMode, target: Target, session: requests.Session
) -> list[int]:
    """The statuses of the answers to all cases of one operation, each looked at."""
    statuses: list[int] = []
    cases = SCHEMA[path][method].as_strategy(generation_mode=mode)

    @RUN
    @given(case=cases, aim=AIMS, guess=GUESSES)
    def attack(case: Case[Any], aim: set[str], guess: str | None) -> None:
        sent = aimed(case, target, aim, guess)
        # What a link leads to is not of this machine.
        answer = sent.call(base_url=target.stack.url, session=session, allow_redirects=False)
        statuses.append(answer.status_code)
        with telling(sent.as_curl_command):
            as_documented(method, path, answer)

    attack()
    refused = sum(status in AT_THE_DOOR for status in statuses)
    assert 2 * refused <= len(statuses), f"{method} {path}: most do not get past the door"
    return statuses


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_generated_requests_are_answered_as_documented(
    fresh_stack: Stack, mode: GenerationMode
) -> None:
    statuses: list[int] = []
    with Api(fresh_stack.url, fresh_stack.api_key) as api, requests.Session() as session:
        # The machine's proxies do not matter here, and looking for them at each request costs time.
        session.trust_env = False
        for method, path in BREAKABLE if mode is GenerationMode.NEGATIVE else OPERATIONS:
            deletes = method == "delete" or path.endswith("bulk-delete")
            target = Target(fresh_stack, api, they_stay=not deletes)
            statuses += attacked(method, path, mode, target, session)

    assert len(statuses) >= LEAST_CASES_PER_MODE
    # Not all of them get through the door.
    assert {200, 400, 401, 403} <= set(statuses)


# Nasty values, as they stand in the JSON text.
NASTY = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "-0.0",
    "1e999",
    "-1e999",
    "1e-999",
    "9" * 400,
    "NaN",
    "Infinity",
    "[]",
    "{}",
    "[null]",
    "[[[[[[[[[[]]]]]]]]]]",
    '{"a":{"a":{"a":{"a":1}}}}',
    '{"$ne":null}',
    '{"S":"x"}',
    '{"a":1,"a":2}',
    '""',
    '" "',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"a\\r\\nb"',
    '"\\u202e\\u2066"',
    '"\\uffff"',
    '"\U0001f600"',
    '"#"',
    '"CAMPAIGN#x#PARTICIPANT#y"',
    '"../../x"',
    '"%2F%00"',
    '"a@b"',
    '"' + "A" * 10_000 + '"',
    '"' + "\u0301" * 1_000 + '"',
    '["' + '","'.join(map(str, range(300))) + '"]',
    '{"' + '":1,"'.join(f"k{number}" for number in range(300)) + '":1}',
]
REWARD_FIELDS = [
    "title",
    "description",
    "referralDescription",
    "imageUrl",
    "imageIconKey",
    "isVisible",
    "isUnlimited",
    "limit",
    "limitDuration",
    "conversionsRequired",
    "numberOfWinners",
    "event",
    "referredRewardUpfront",
    "order",
    "nextMilestonePrefix",
    "nextMilestoneSuffix",
    "couponCode",
    "referralCouponCode",
    "metadata",
    "value",
    "referredValue",
]
WEBHOOK_FIELDS = ["payloadUrl", "events", "secret", "isEnabled"]
BODY_FIELDS: dict[tuple[str, str], list[str]] = {
    ("post", "/v2/campaigns"): [
        "type",
        "name",
        "slug",
        "companyName",
        "companyLogoImageUrl",
        "currencyISO",
        "goal",
        "rewards",
    ],
    ("patch", "/v2/campaign/{id}"): [
        "name",
        "slug",
        "companyName",
        "companyLogoImageUrl",
        "status",
    ],
    ("patch", "/v2/campaign/{id}/options"): [
        "requireManualRewardApproval",
        "autoFulfillRewards",
        "autoBlockFraud",
        "requireManualFraudApproval",
        "enforceGdprCompliance",
        "attributionModel",
        "referralCookieWindowDays",
        "referralCreditWindowDays",
        "fraud",
    ],
    ("patch", "/v2/campaign/{id}/installation"): ["referralTrigger", "shareUrl", "allowedUrls"],
    ("patch", "/v2/campaign/{id}/emails"): ["settings", *TEMPLATES],
    ("post", "/v2/campaign/{id}/participant/{participant}/email"): [
        "emailType",
        "subject",
        "body",
        "preheader",
    ],
    ("post", "/v2/campaign/{id}/participant/{participant}/fraud"): ["fraudRiskLevel", "note"],
    ("post", "/v2/campaign/{id}/participant"): [
        "email",
        "referredBy",
        "referralStatus",
        "firstName",
        "lastName",
        "ipAddress",
        "fingerprint",
        "mobileInstanceId",
        "metadata",
        "unheardOf",
    ],
    ("post", "/v2/campaign/{id}/participant/{participant}"): [
        "email",
        "referredBy",
        "referralStatus",
        "firstName",
        "lastName",
        "metadata",
        "vanityKeys",
        "unsubscribed",
        "notes",
        "paypalEmail",
    ],
    ("post", "/v2/campaign/{id}/participants/bulk-delete"): ["participants"],
    ("post", "/v2/campaign/{id}/participant/{participant}/ref"): ["delayInDays"],
    ("post", "/v2/campaign/{id}/participant/{participant}/invites"): [
        "emailAddresses",
        "subjectText",
        "messageText",
    ],
    ("post", "/v2/campaign/{id}/reward-configs"): ["type", *REWARD_FIELDS],
    ("patch", "/v2/campaign/{id}/reward-configs/{rewardId}"): REWARD_FIELDS,
    ("post", "/v2/campaign/{id}/reward/{rewardId}/approve"): ["fulfill"],
    ("post", "/track/impression"): ["campaignId", "key", "visitor", "requestId"],
    ("post", "/track/share"): ["campaignId", "key", "visitor", "requestId", "channel"],
    ("post", "/v2/campaign/{id}/webhooks"): WEBHOOK_FIELDS,
    ("patch", "/v2/campaign/{id}/webhooks/{webhookId}"): WEBHOOK_FIELDS,
    ("post", "/v2/campaign/{id}/webhooks/{webhookId}/test"): ["event"],
    ("post", "/v2/campaign/{id}/webhooks/{webhookId}/recover"): ["since", "nextId"],
    ("post", "/v1/campaigns/{slug}/events"): [
        "userId",
        "eventType",
        "metadata",
        "reference",
        "unheardOf",
    ],
    ("post", "/v1/campaigns/{slug}/events/preview"): [
        "userId",
        "eventType",
        "metadata",
        "unheardOf",
    ],
    ("post", "/v1/campaigns/codes/generate"): [
        "slug",
        "batchSize",
        "pointsValue",
        "label",
        "expiresAt",
        "reference",
        "unheardOf",
    ],
    ("post", "/v1/campaigns/codes/verify"): ["code", "unheardOf"],
    ("post", "/v1/campaigns/{slug}/redeem"): ["userId", "code", "reference", "unheardOf"],
    ("post", "/v1/campaigns/{slug}/events/{eventId}/reverse"): ["userId", "unheardOf"],
    ("put", "/v1/campaigns/{slug}/mechanics"): [
        "startsAt",
        "endsAt",
        "timezone",
        "sources",
        "unknownEventTypes",
        "dedupe",
        "points",
        "milestones",
        "instantWin",
        "leaderboard",
        "referral",
        "unheardOf",
    ],
    ("put", "/v1/campaigns/{slug}/participants/{userId}/link"): [
        "participantId",
        "email",
        "unheardOf",
    ],
    **{
        ("post", path): ["playerUniqueId", "events", "playerAttributes", "unheardOf"]
        for path in reporting.ROUTES
    },
}
# What a body needs beside the nasty field, so that nothing else is wrong with it.
NEEDED: dict[str, Callable[[Target], dict[str, Any]]] = {
    "/v2/campaigns": lambda _: {"type": "REFERRAL"},
    "/v2/campaign/{id}/participant": lambda _: {"email": unique_email()},
    "/v2/campaign/{id}/participant/{participant}/invites": lambda _: {
        "emailAddresses": [unique_email()],
        "subjectText": "Join",
        "messageText": "{{referrerMessage}}",
    },
    "/v2/campaign/{id}/reward-configs": lambda _: {"type": "SINGLE_SIDED"},
    "/v2/campaign/{id}/webhooks": lambda _: {"payloadUrl": "https://receiver.example"},
    **{
        path: lambda _: {"playerUniqueId": PLAYER, "events": {"purchase": {}}}
        for path in reporting.ROUTES
    },
    "/v1/campaigns/{slug}/events": lambda _: {"userId": PLAYER, "eventType": "purchase"},
    "/v1/campaigns/{slug}/events/preview": lambda _: {"userId": PLAYER, "eventType": "purchase"},
    "/v1/campaigns/codes/generate": lambda target: {
        "slug": target.game.slug,
        "batchSize": 2,
        "pointsValue": 5,
    },
    "/v1/campaigns/codes/verify": lambda _: {"code": "SUMM-AX7K9M2P"},
    "/v1/campaigns/{slug}/redeem": lambda _: {"userId": PLAYER, "code": "SUMM-AX7K9M2P"},
    "/v1/campaigns/{slug}/events/{eventId}/reverse": lambda _: {"userId": PLAYER},
    "/track/impression": lambda target: {
        "campaignId": target.campaign_id,
        "key": target.first,
    },
    "/track/share": lambda target: {
        "campaignId": target.campaign_id,
        "key": target.first,
        "channel": "email",
    },
}


def nasty_bodies(path: str, field: str, target: Target) -> Iterator[str]:
    for value in NASTY:
        needed = NEEDED[path](target) if path in NEEDED else {}
        members = [f'"{name}":{json.dumps(text)}' for name, text in needed.items() if name != field]
        yield "{" + ",".join([*members, f'"{field}":{value}']) + "}"


def test_every_field_of_every_body_is_looked_at_here() -> None:
    documented = {
        (method, path): set(properties(DOCUMENT["paths"][path][method]))
        for method, path in OPERATIONS
        if "requestBody" in DOCUMENT["paths"][path][method]
    }

    assert {route: set(fields) - {"unheardOf"} for route, fields in BODY_FIELDS.items()} == (
        documented
    )


def properties(operation: dict[str, Any]) -> list[str]:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rsplit("/", 1)[1]
    return list(DOCUMENT["components"]["schemas"][name]["properties"])


@pytest.mark.parametrize(
    ("method", "path"), BODY_FIELDS, ids=[" ".join(route) for route in BODY_FIELDS]
)
def test_nasty_values_in_every_field_are_answered_as_documented(
    fresh_stack: Stack, method: str, path: str
) -> None:
    cases, seen = 0, 1
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        target = Target(fresh_stack, api)
        for field in BODY_FIELDS[method, path]:
            url = path.format(
                id=target.campaign_id,
                participant=target.participant(),
                rewardId=target.reward(),
                webhookId="primary",
                slug=target.game.slug if "{slug}" in path else "",
                userId=PLAYER,
                eventId="evt_0123456789abcdef01234567",
            )
            for body in nasty_bodies(path, field, target):
                answer = api.http.request(
                    method.upper(),
                    url,
                    content=body.encode(),
                    headers={
                        **api_of((method, path)).with_key(str(fresh_stack.api_key)),
                        "content-type": "application/json",
                        "if-match": str(seen),
                        "origin": visitors.ORIGIN,
                        "user-agent": visitors.BROWSER,
                    },
                )
                cases += 1
                with telling(partial("{}: {:.200}".format, field, body)):
                    as_documented(method, path, answer)
                if answer.status_code == 200 and path.endswith("/mechanics"):
                    seen = answer.json()["data"]["configVersion"]

    assert cases == len(BODY_FIELDS[method, path]) * len(NASTY)


@pytest.mark.parametrize("parameter", ["limit", "nextId", "metadata", "metadata[a]", "metadata[]"])
def test_nasty_query_parameters_are_answered_as_documented(api: Api, parameter: str) -> None:
    path = "/v2/campaign/{id}/participants"
    campaign_id = api.campaign()
    api.add(campaign_id)

    for value in NASTY:
        texts = [value, value.strip('"')]
        for text in texts:
            answer = api.call("GET", path.format(id=campaign_id), params={parameter: text[:4_000]})
            as_documented("get", path, answer)
