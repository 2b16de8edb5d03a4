"""What a page reports of its visitors, and what it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from grapevine.engine.tracking.rules import Action
from grapevine.engine.tracking.visits import Visit
from grapevine.http.models.fields import Input, Output, Query

Channel = Literal[
    "email",
    "facebook",
    "linkedin",
    "pinterest",
    "twitter",
    "bluesky",
    "copyRefLink",
    "androidNativeShare",
    "iosNativeShare",
    "messenger",
    "qrcode",
    "reddit",
    "sms",
    "telegram",
    "threads",
    "tumblr",
    "wechat",
    "whatsapp",
]
"""The ways to share that a participant's `shareCount` can have (growsurf)."""

OpaqueId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]


class TrackImpression(Input):
    """`key` is the participant's id or vanity key, `visitor` the id that the page keeps for its
    visitor. A report that is repeated with its `requestId` is counted once."""

    campaign_id: Annotated[str, Field(max_length=100)]
    key: Annotated[str, Field(max_length=100)]
    visitor: OpaqueId | None = None
    request_id: OpaqueId | None = None

    def visit(self, seen: Visit) -> Visit:
        return replace(seen, visitor_id=self.visitor)

    def action(self) -> Action:
        return Action(request_id=self.request_id)


class TrackShare(TrackImpression):
    channel: Channel

    def action(self) -> Action:
        return Action(self.channel, self.request_id)


class AskLeave(Query):
    """A preflight has no body: the campaign that the report is for."""

    campaign_id: str = ""


class AskScript(Query):
    """The campaign whose page it is for."""

    campaign: str = ""


class Tracked(Output):
    """Not counted: an unknown key, a machine, or a bound that is used up."""

    counted: bool
