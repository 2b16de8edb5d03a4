"""From changes of the table to messages: webhook events, e-mails, months that are to be settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from grapevine.engine.mail import inviting, post
from grapevine.engine.month_end import close
from grapevine.engine.webhooks import relay as webhooks
from grapevine.engine.webhooks.transitions import Transition, transition_in
from grapevine.table.attributes import Change
from grapevine.table.invites import Invite
from grapevine.table.month_end import MonthClosing


class Told(Protocol):
    """A transition, a closing or an invite."""

    @property
    def campaign_id(self) -> str: ...


def told_by(change: Change) -> Told | None:
    """None for a change that nobody is to be told of. Raises KeyError or TypeError for a broken
    record."""
    if change.new["type"] == MonthClosing.TYPE:
        # The steps of a settlement change the closing: only a new one is to be settled.
        return MonthClosing.from_item(change.new) if change.old is None else None
    if change.new["type"] == Invite.TYPE:
        return Invite.from_item(change.new) if change.old is None else None
    return transition_in(change)


def campaign_of(told: Told) -> str:
    return told.campaign_id


def relay(campaign_id: str, told: Sequence[Told]) -> None:
    """Safe to repeat: a month is settled once, an event made once, an e-mail sent once. Months come
    first, so that events that fail hold up no settlement.

    Raises:
        Busy
    """
    closings = [one for one in told if isinstance(one, MonthClosing)]
    close.hand_out(closings)
    post.queue([inviting.mail_of(one) for one in told if isinstance(one, Invite)])
    webhooks.relay(campaign_id, [one for one in told if isinstance(one, Transition)])
