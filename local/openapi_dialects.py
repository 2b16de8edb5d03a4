"""What the OpenAPI document says of each API: its keys, its errors, and the form of its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from grapevine.http.endpoint import Dialect, Endpoint, Nothing
from grapevine.http.gamifyhost import GamifyHost
from grapevine.http.models.errors import Error
from grapevine.http.models.gamifyhost import GamifyHostError
from grapevine.http.models.referd import ReferdError

Schema = dict[str, Any]


def _as_it_is(answer: Schema) -> Schema:
    return answer


def _in_envelope(answer: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["status", "data"],
        "properties": {"status": {"const": "success"}, "data": answer},
    }


@dataclass(frozen=True, slots=True)
class Described:
    """`always` are the refusals of every route, `of_a_campaign` those of routes that name one and
    `of_a_body` those of routes that take a body."""

    error: type[BaseModel]
    refusals: Mapping[str, str]
    always: frozenset[str]
    of_a_campaign: frozenset[str]
    of_a_body: frozenset[str]
    security: list[dict[str, list[str]]]
    takes_forms: bool
    answer: Callable[[Schema], Schema]

    def statuses(self, path: str, endpoint: Endpoint[Any, Any, Any]) -> set[str]:
        statuses = {*self.always, *map(str, endpoint.refusals)}
        if "{id}" in path or "{slug}" in path:
            statuses |= self.of_a_campaign
        if endpoint.body is not Nothing:
            statuses |= self.of_a_body
        return statuses


GROWSURF = Described(
    error=Error,
    refusals={
        "400": "The request, or the participant it names, is not valid",
        "403": "The API key is missing, wrong or revoked, lacks the scope, or is another account's",
        "404": "There is no such campaign",
        "406": "The reward is in a state that does not allow this",
        "409": "Others are changing the same data; nothing was written, try again",
        "413": "The body is larger than 256 KiB",
        "415": "The body is neither JSON nor a form",
        "422": "Not offered for this type of campaign, or refused for a high risk of fraud",
        "429": "A daily limit leaves no room for any of it",
    },
    always=frozenset({"400", "403", "409"}),
    of_a_campaign=frozenset({"404"}),
    of_a_body=frozenset({"413", "415"}),
    security=[{"apiKey": []}],
    takes_forms=True,
    answer=_as_it_is,
)
GAMIFYHOST = Described(
    error=GamifyHostError,
    refusals={
        "400": "The request is not valid",
        "401": "The API key is missing or unknown",
        "403": "The API key is revoked, is a public one, or lacks the scope",
        "404": "There is no such campaign or participant, or it takes no events now",
        "409": "The user has played as often as the campaign allows, or the code cannot be used",
        "412": "The configuration has been saved by somebody else since",
        "422": "The Idempotency-Key came before with another request",
        "503": "Others are changing the same data; nothing was written, try again",
    },
    always=frozenset({"400", "401", "403", "503"}),
    of_a_campaign=frozenset({"404"}),
    of_a_body=frozenset(),
    security=[{"secretKey": []}],
    takes_forms=False,
    answer=_in_envelope,
)
REFERD = Described(
    error=ReferdError,
    refusals={
        "400": "The request is not valid",
        "401": "The API key is unknown or revoked",
        "403": "The API key is missing or lacks the scope",
        "404": "No campaign knows an event of this name",
        "422": "The Idempotency-Key came before with another request",
        "503": "Others are changing the same data; nothing was written, try again",
    },
    always=frozenset({"400", "401", "403", "503"}),
    of_a_campaign=frozenset(),
    of_a_body=frozenset(),
    security=[{"referdKey": []}, {"referdKey": [], "referdSecret": []}],
    takes_forms=False,
    answer=_as_it_is,
)
DESCRIBED = (GROWSURF, GAMIFYHOST, REFERD)

SCHEMES: Mapping[str, Schema] = {
    "apiKey": {"type": "http", "scheme": "bearer"},
    "secretKey": {"type": "apiKey", "in": "header", "name": "X-API-Secret"},
    "referdKey": {"type": "apiKey", "in": "header", "name": "APIKey"},
    "referdSecret": {"type": "apiKey", "in": "header", "name": "SecretKey"},
}


def described(dialect: Dialect) -> Described:
    if isinstance(dialect, GamifyHost):
        return GAMIFYHOST
    return REFERD if type(dialect).__module__.endswith("referd") else GROWSURF
