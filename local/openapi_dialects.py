"""What the OpenAPI document says of an API as a whole: its keys, its answers, its refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from grapevine.http.endpoint import Dialect, Endpoint, Nothing
from grapevine.http.gamifyhost import GamifyHost
from grapevine.http.growsurf import growsurf
from grapevine.http.idempotency import LONGEST_KEY
from grapevine.http.models.errors import Error
from grapevine.http.models.gamifyhost import GamifyHostError, Repeatable
from grapevine.http.models.referd import ReferdError
from grapevine.http.referd import referd

Schema = dict[str, Any]

SECURITY_SCHEMES: dict[str, Schema] = {
    "apiKey": {"type": "http", "scheme": "bearer"},
    "apiSecret": {"type": "apiKey", "in": "header", "name": "X-API-Secret"},
    "appKey": {"type": "apiKey", "in": "header", "name": "APIKey"},
    "appSecret": {"type": "apiKey", "in": "header", "name": "SecretKey"},
}

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_REPETITION: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A repetition of a request has the same key, and gets the same answer",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """`refusals` says what each status means, in order; those in `always` any route answers, those
    `with_body` every route that takes one, those `in_campaign` every route of a campaign.
    `repeatable` are the bodies that come with an idempotency key; None: none."""

    error: type[BaseModel]
    security: list[dict[str, list[str]]]
    refusals: Mapping[str, str]
    always: frozenset[str]
    with_body: frozenset[str] = frozenset()
    in_campaign: frozenset[str] = field(default_factory=lambda: frozenset({"404"}))
    media_types: tuple[str, ...] = (_JSON,)
    repeatable: type[BaseModel] | None = None
    is_enveloped: bool = False

    def statuses(self, endpoint: Endpoint[Any, Any, Any]) -> set[str]:
        statuses = {*self.always, *map(str, endpoint.refusals)}
        if "{id}" in endpoint.route or "{slug}" in endpoint.route:
            statuses |= self.in_campaign
        if endpoint.body is not Nothing:
            statuses |= self.with_body
        return statuses

    def header_parameters(self, endpoint: Endpoint[Any, Any, Any]) -> list[Schema]:
        takes_key = self.repeatable is not None and issubclass(endpoint.body, self.repeatable)
        return [_REPETITION] if takes_key and endpoint.body is not Nothing else []

    def success(self, schema: Schema) -> Schema:
        """The whole body of an answer whose own part is `schema`."""
        if not self.is_enveloped:
            return schema
        return {
            "type": "object",
            "required": ["status", "data"],
            "properties": {"status": {"const": "success"}, "data": schema},
        }


GROWSURF = Described(
    error=Error,
    security=[{"apiKey": []}],
    refusals={
        "400": "The request, or the participant it names, is not valid",
        "403": "The API key is missing, wrong or revoked, lacks the scope, or is another account's",
        "404": "There is no such campaign",
        "406": "The reward is in a state that does not allow this",
        "409": "Others are changing the same data: send the same request again",
        "413": "The body is larger than 256 KiB",
        "415": "The body is neither JSON nor a form",
        "422": "Not offered for this type of campaign, or refused for a high risk of fraud",
        "429": "A daily limit leaves no room for any of it",
    },
    always=frozenset({"400", "403", "409"}),
    with_body=frozenset({"413", "415"}),
    media_types=(_JSON, _FORM),
)
GAMIFYHOST = Described(
    error=GamifyHostError,
    security=[{"apiSecret": []}],
    refusals={
        "400": "The request is not valid",
        "401": "The API key is missing or wrong",
        "403": "The API key has been revoked, is a public one or lacks the scope",
        "404": "There is no such campaign, or it takes no part in this now",
        "409": "The state of things does not allow this",
        "412": "It has been changed since it was read",
        "422": "The idempotency key came before with another request",
        "429": "Too many requests",
        "503": "Others are changing the same data: send the same request again",
    },
    always=frozenset({"400", "401", "403", "503"}),
    repeatable=Repeatable,
    is_enveloped=True,
)
REFERD = Described(
    error=ReferdError,
    security=[{"appKey": []}, {"appKey": [], "appSecret": []}],
    refusals={
        "400": "The request is not valid",
        "401": "A key is wrong or revoked",
        "403": "The API key is missing or lacks the scope",
        "404": "The event is not known",
        "422": "The idempotency key came before with another request",
        "429": "Too many requests",
        "503": "Others are changing the same data: send the same request again",
    },
    always=frozenset({"400", "401", "403", "503"}),
    in_campaign=frozenset(),
    repeatable=BaseModel,
)


def described(dialect: Dialect) -> Described:
    """Raises LookupError for a dialect that nothing is said of."""
    if isinstance(dialect, GamifyHost):
        return GAMIFYHOST
    for known, what in ((growsurf, GROWSURF), (referd, REFERD)):
        if dialect is known:
            return what
    raise LookupError(type(dialect).__name__)
