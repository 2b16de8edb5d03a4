"""A campaign's mechanics, as they are shown and taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.configuration import Configuration, shown, without_shown
from grapevine.engine.mechanics.draw_secrets import published
from grapevine.engine.mechanics.draws import commitment
from grapevine.engine.mechanics.fields import Part, instant_text
from grapevine.engine.mechanics.parts import InstantWin
from grapevine.errors import InvalidRequest, Problem
from grapevine.table.mechanics import Mechanics as Stored

_HEADER = "if-match"


class UpdateMechanics(Configuration):
    """The whole configuration; what an answer only shows is ignored."""

    @model_validator(mode="before")
    @classmethod
    def _what_is_taken(cls, sent: Any) -> Any:
        return without_shown(sent) if isinstance(sent, Mapping) else sent


def seen_version(headers: Mapping[str, str]) -> int:
    """The configVersion in the header If-Match, with or without quotes; 0 without one: nothing has
    been configured before.

    Raises:
        InvalidRequest: it is no number.
    """
    sent = headers.get(_HEADER, "0").strip().removeprefix("W/").strip('"')
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 10):
        message = "must be the configVersion that you have read"
        raise InvalidRequest(message, Problem("header", "If-Match", "version", message))
    return int(sent)


class FormerDraws(Part):
    """The secret of draws before a campaign went on after its end; it decided none after
    `until`."""

    draw_number: int
    draw_commitment: str
    draw_secret: str
    until: str


class Draws(Part):
    """`drawCommitment` is the SHA-256 of the secret that decides the draws, the campaign's secret
    number `drawNumber`; `drawSecret`, that secret, is there a minute after the campaign is complete
    or its `endsAt` is past, and not before the last `endsAt` where prizes are or were hidden in
    time. `formerDraws` are those that a campaign had which went on after its end, the newest first,
    at most 50."""

    draw_number: int | None = None
    draw_commitment: str | None = None
    draw_secret: str | None = None
    former_draws: tuple[FormerDraws, ...] = ()


class ShownInstantWin(InstantWin, Draws):
    """An instant win, and what its draws are checked with."""


class Mechanics(Configuration, Draws):
    """A configuration with what is only shown. What draws are checked with stands in `instantWin`;
    beside it where there is none any more."""

    instant_win: ShownInstantWin | None = None
    slug: str
    name: str
    status: str
    config_version: int


def shown_mechanics(played: Played) -> dict[str, Any]:
    """As `Mechanics` says."""
    campaign, mechanics = played.campaign, played.mechanics
    told = shown(played.configuration)
    if mechanics is not None and mechanics.has_drawn:
        place = told if told["instantWin"] is None else told["instantWin"]
        place |= _draws(played, mechanics)
    return {
        "slug": campaign.slug,
        "name": campaign.name,
        "status": campaign.status,
        "configVersion": played.config_version,
        **told,
    }


def _draws(played: Played, mechanics: Stored) -> dict[str, Any]:
    told = published(played)
    shown_now: dict[str, Any] = {
        "drawNumber": mechanics.secret_number,
        "drawCommitment": commitment(mechanics.draw_secret),
        "formerDraws": [
            {
                "drawNumber": each.number,
                "drawCommitment": commitment(each.secret),
                "drawSecret": each.secret,
                "until": instant_text(each.until),
            }
            for each in told.former
        ],
    }
    if told.current is not None:
        shown_now["drawSecret"] = told.current
    return shown_now
