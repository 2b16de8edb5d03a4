"""How each of the APIs is spoken to: where its key goes, and what its refusals are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from tests.refusals import refusal

Route = tuple[str, str]
Json = dict[str, Any]
Why = Literal["missing", "unknown", "revoked", "scope", "public", "foreign", "nowhere"]
"""`foreign`: another account's campaign; `nowhere`: nobody's."""

PUBLIC_KEY = "A public API key can only report events."
NO_CAMPAIGN = {
    "Campaign not found",
    "Campaign not found or not active",
    "Campaign or participant not found",
    "Campaign or event not found",
}


@dataclass(frozen=True)
class Spoken:
    """An API as a client knows it: the header of its key, and what may stand in it that is none.
    In `no_keys` the text {key} is where a good one is."""

    header: str
    scheme: str
    no_keys: tuple[str, ...]

    def with_key(self, key: str) -> dict[str, str]:
        return {self.header: f"{self.scheme}{key}"}

    def without_a_good_key(self, key: str) -> list[tuple[dict[str, str], Why]]:
        """Headers, each with why it is refused."""
        none: list[tuple[dict[str, str], Why]] = [({}, "missing"), ({self.header: ""}, "missing")]
        wrong: list[tuple[dict[str, str], Why]] = [
            ({self.header: form.format(key=key)}, "unknown") for form in self.no_keys
        ]
        return [*none, *wrong]

    def refused(self, response: httpx.Response, why: Why, scope: str = "") -> Json:
        """The body of this refusal, after a look at its form; without what differs from moment to
        moment. `scope` is the one that is missing."""
        raise NotImplementedError


class _GrowSurf(Spoken):
    def refused(self, response: httpx.Response, why: Why, scope: str = "") -> Json:
        body = refusal(response, 404 if why == "nowhere" else 403)
        if why == "scope":
            assert scope in body["message"]
        if why == "public":
            assert body["message"] == PUBLIC_KEY
        return {name: value for name, value in body.items() if name != "timestamp"}


class _GamifyHost(Spoken):
    def refused(self, response: httpx.Response, why: Why, scope: str = "") -> Json:
        status, message = {
            "missing": (401, "Missing X-API-Secret header"),
            "unknown": (401, "Invalid API key"),
            "revoked": (403, "API key has been revoked"),
            "scope": (403, f"The API key lacks the scope {scope}."),
            "public": (403, PUBLIC_KEY),
            "foreign": (404, None),
            "nowhere": (404, None),
        }[why]
        body = _plain(response, status)
        assert body == {"message": body["message"], "code": status, "status": "error"}
        assert body["message"] in ({message} if message else NO_CAMPAIGN)
        return body


class _Referd(Spoken):
    def refused(self, response: httpx.Response, why: Why, scope: str = "") -> Json:
        """It names no campaign, no scope, and takes public keys."""
        del scope
        is_known = why in ("missing", "scope")
        body = _plain(response, 403 if is_known else 401)
        assert body == (
            {"code": 1002, "message": "Forbidden"}
            if is_known
            else {"code": 1000, "message": "Unauthorized"}
        )
        return body


def _plain(response: httpx.Response, status: int) -> Json:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: Json = response.json()
    return body


_ALWAYS_WRONG = (
    "wrong-key",
    "{key}x",
    "{key} {key}",
    "{key},{key}",
    '"{key}"',
    "x" * 5000,
    "APIKEY#1",
)
GROWSURF = _GrowSurf(
    "authorization",
    "Bearer ",
    (
        "Bearer",
        "bearer wrong-key",
        *(f"Bearer {form}" for form in _ALWAYS_WRONG),
        "Basic {key}",
        "{key}",
        "Bearer{key}",
        "Bearer {key},Bearer {key}",
        "Token {key}",
    ),
)
GAMIFYHOST = _GamifyHost("x-api-secret", "", (*_ALWAYS_WRONG, "Bearer {key}"))
REFERD = _Referd("apikey", "", (*_ALWAYS_WRONG, "Bearer {key}"))


def api_of(route: Route) -> Spoken:
    """The API that a route is of."""
    path = route[1]
    if path.startswith("/v1/"):
        return GAMIFYHOST
    if path.startswith(("/integrations/", "/api/")):
        return REFERD
    return GROWSURF


def is_said_in_its_own_words(path: str, status: int, body: Json) -> bool:
    """Whether an error body says the status where its API does."""
    spoken = api_of(("", path))
    if spoken is REFERD:
        return body.keys() == {"code", "message"}
    return bool(body["status" if spoken is GROWSURF else "code"] == status)


def all_alike(bodies: list[Json]) -> bool:
    return len({json.dumps(body, sort_keys=True) for body in bodies}) == 1
