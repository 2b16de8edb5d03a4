"""From changes of the table to messages: webhook events, e-mails, lines of activity logs,
consequences in games, and months that are to be settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from grapevine.engine import activities
from grapevine.engine.mail import inviting, post
from grapevine.engine.mail import relay as mail
from grapevine.engine.mail.facts import MailFact, facts_in
from grapevine.engine.mechanics import handing
from grapevine.engine.month_end import close
from grapevine.engine.webhooks import relay as webhooks
from grapevine.engine.webhooks.transitions import Transition, transition_in
from grapevine.log import log_defect
from grapevine.table.activities import Activity
from grapevine.table.attributes import Change
from grapevine.table.invites import Invite
from grapevine.table.keys import Key
from grapevine.table.month_end import MonthClosing


@dataclass(frozen=True, slots=True)
class Told:
    """What one change is to be told as. `owner` is the campaign, or the account for what belongs
    to none of its campaigns."""

    owner: str
    consequences: tuple[Key, ...] = ()
    closings: tuple[MonthClosing, ...] = ()
    invites: tuple[Invite, ...] = ()
    transitions: tuple[Transition, ...] = ()
    activities: tuple[Activity, ...] = ()
    mail_facts: tuple[MailFact, ...] = ()


def told_by(change: Change) -> Told | None:
    """None for a change that nobody is to be told of. Raises KeyError or TypeError for a broken
    record."""
    closings, transition = _closings_in(change), transition_in(change)
    told = Told(
        change.new.get("campaignId") or change.new["accountId"],
        consequences=handing.handed_out_by(change),
        closings=closings,
        invites=_invites_in(change),
        transitions=(transition,) if transition else (),
        activities=tuple(activities.entries_of(change)),
        mail_facts=tuple(facts_in(change)),
    )
    return told if told != Told(told.owner) else None


def _closings_in(change: Change) -> tuple[MonthClosing, ...]:
    # The steps of a settlement change the closing: only a new one is to be settled.
    if change.new["type"] != MonthClosing.TYPE or change.old is not None:
        return ()
    return (MonthClosing.from_item(change.new),)


def _invites_in(change: Change) -> tuple[Invite, ...]:
    if change.new["type"] != Invite.TYPE or change.old is not None:
        return ()
    return (Invite.from_item(change.new),)


def owner_of(told: Told) -> str:
    return told.owner


def relay(owner: str, told: Sequence[Told]) -> None:
    """Tells all that the changes are to be told as. No kind of news waits for another: what fails
    holds up its own kind only, and when all have been gone through, the first failure is raised, so
    that the records come again.

    Safe to repeat: a month is settled once, an event made once, an e-mail sent once, a line of a
    log written as it was, and what follows in a game follows once. So what had been done beside a
    failure is not done twice.

    Raises:
        Busy, or whatever else the first failing kind raised
    """
    mails = [inviting.mail_of(invite) for one in told for invite in one.invites]
    failures = [
        failure
        for step in (
            partial(close.hand_out, [closing for one in told for closing in one.closings]),
            partial(webhooks.relay, owner, [each for one in told for each in one.transitions]),
            partial(handing.hand_out, [key for one in told for key in one.consequences]),
            partial(activities.record, [line for one in told for line in one.activities]),
            partial(post.queue, mails),
            partial(mail.relay, owner, [fact for one in told for fact in one.mail_facts]),
        )
        if (failure := _failure_of(step)) is not None
    ]
    for further in failures[1:]:
        log_defect(further)
    if failures:
        raise failures[0]


def _failure_of(step: Callable[[], None]) -> Exception | None:
    try:
        step()
    except Exception as failure:  # noqa: BLE001 - the other kinds must not wait for this one
        return failure
    return None
