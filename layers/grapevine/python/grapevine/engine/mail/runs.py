"""E-mails to many participants: that the campaign has ended, and what a month has brought.

A run is an item with a cursor, which the sweep hands out like all due work. A step queues the
e-mails of a page and then moves the cursor on under the run's version. An e-mail's id is made of
the run and the participant alone, so a page that is done twice, by a repetition or by two at once,
writes to everybody once; and what the run says of a participant is decided with the first of them.
Pages follow each other at the pace of `grapevine.engine.mail.pacing`.

The end of a campaign is told to all who had joined by then, in join order. A month is told to those
who have a credit in it, in the order of the month's board: nobody moves up on it any more, and who
moves down is met again, never missed. Participants without a credit have nothing to be told.

| the process dies after | what follows |
|---|---|
| the run's item | it is due |
| a stretch of time was taken for a page | the page is done again in another stretch |
| some or all e-mails of a page | the same, and it makes those that are missing |
| storing an e-mail, before its message | a sweep sends one, 20 minutes after its time |
| the cursor | the message comes again, or the sweep's claim ends, and the next page is done |
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from grapevine import runtime
from grapevine.engine.mail import pacing, post
from grapevine.engine.mail.facts import SharedFact
from grapevine.engine.mail.settings import EmailSettings, settings_of
from grapevine.engine.mail.templates.template import TemplateKey
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.engine.rewards.earning import earnings_in
from grapevine.months import DAY_MS, month_at
from grapevine.table import keys, standings, store
from grapevine.table.campaigns import Campaign, last_join_sequence
from grapevine.table.due import shard_of
from grapevine.table.mail import Mail
from grapevine.table.mail_runs import MailRun
from grapevine.table.writes import ABSENT, version

PAGE = 100
KEPT_MS = 90 * DAY_MS
_SECONDS = 15.0
_ENDED: tuple[TemplateKey, ...] = ("campaignEndedWinners", "campaignEndedNonWinners")
_MONTHLY: TemplateKey = "progressUpdateMonthly"


def begin(campaign: Campaign, fact: SharedFact) -> None:
    """Makes the run of a fact due, if the campaign sends such an e-mail. Safe to repeat."""
    if not _is_wanted(campaign, fact.kind, fact.number):
        return
    now = runtime.now_ms()
    starts_at = fact.number + IN_FLIGHT_MS if fact.kind == "ENDED" else now
    run = MailRun(
        campaign_id=campaign.campaign_id,
        kind=fact.kind,
        number=fact.number,
        created_at=now,
        due_shard=shard_of(campaign.campaign_id),
        due_at=max(now, starts_at),
        expires_at=(now + KEPT_MS) // 1000,
    )
    store.put(run.to_item(), ABSENT)


def _is_wanted(campaign: Campaign, kind: str, number: int) -> bool:
    """Not for an end that has been taken back, nor for a month that nobody can count any more: the
    one after next has overwritten its counts by then."""
    settings = settings_of(campaign)
    if kind == "ENDED":
        is_so = campaign.status == "COMPLETE" and campaign.ended_at == number
        return is_so and any(map(settings.sends_itself, _ENDED))
    is_fresh = month_at(runtime.now_ms()) < number + 2
    return campaign.is_in_progress and is_fresh and settings.sends_itself(_MONTHLY)


def advance(run: MailRun) -> None:
    """Goes on with a run page by page, for 15 s, or until the runs of all campaigns have taken what
    goes out in the next minute; then it is due again for the next sweep.

    Raises:
        Busy
        RuntimeError: the queue did not take all; those fall due by themselves.
    """
    stop_at = time.monotonic() + _SECONDS
    is_over = pacing.is_queue_full()
    while run.done_at is None:
        step = None if is_over else _step(run)
        is_over = step is None or time.monotonic() >= stop_at
        following = step or replace(run, version=run.version + 1)
        if following.done_at is None and is_over:
            following = replace(following, due_at=pacing.next_turn())
        if not store.put(following.to_item(), version(run.version)) or is_over:
            # Somebody else goes on with it, or the next sweep does.
            return
        run = following


def _step(run: MailRun) -> MailRun | None:
    """The run after its next page, whose e-mails have been asked for; None when it is too early for
    them."""
    item = store.get(keys.campaign(run.campaign_id))
    campaign = Campaign.from_item(item) if item else None
    if campaign is None or not _is_wanted(campaign, run.kind, run.number):
        return _done(run)
    if run.kind == "ENDED" and run.last_sequence is None:
        last = last_join_sequence(run.campaign_id)
        return replace(run, version=run.version + 1, cursor=0, last_sequence=last)
    page = _page(run)
    settings = settings_of(campaign)
    mails = page.ended(run, settings) if run.kind == "ENDED" else page.month(run)
    if mails:
        stretch = pacing.take(len(mails))
        if stretch is None:
            return None
        post.queue_in(stretch, mails)
    if page.cursor is None:
        return _done(run)
    return replace(run, version=run.version + 1, cursor=page.cursor)


def _done(run: MailRun) -> MailRun:
    now = runtime.now_ms()
    return replace(run, version=run.version + 1, done_at=now, due_shard=None, due_at=None)


@dataclass(frozen=True, slots=True)
class _Page:
    """Some participants, and where the next page begins; None behind the last one."""

    places: Sequence[standings.Place]
    cursor: int | None

    def ended(self, run: MailRun, settings: EmailSettings) -> list[Mail]:
        ids = [place.participant_id for place in self.places]
        found = store.get_many(keys.earnings(run.campaign_id, one) for one in ids)
        won = [earnings_in(found, run.campaign_id, one).is_winner for one in ids]
        told = [
            _mail(run, one, _ENDED[0] if is_winner else _ENDED[1])
            for one, is_winner in zip(ids, won, strict=True)
        ]
        return [mail for mail in told if _is_on(mail, settings)]

    def month(self, run: MailRun) -> list[Mail]:
        return [
            _mail(run, place.participant_id, _MONTHLY, month=run.number, count=place.count)
            for place in self.places
        ]


def _is_on(mail: Mail, settings: EmailSettings) -> bool:
    return any(mail.template == one and settings.sends_itself(one) for one in _ENDED)


def _page(run: MailRun) -> _Page:
    if run.kind == "MONTH":
        best = standings.month_places(
            run.campaign_id, run.number, limit=PAGE, from_position=run.cursor
        )
        return _Page(best, best[-1].position - 1 if len(best) == PAGE else None)
    joined = standings.joined_from(run.campaign_id, run.cursor or 0, PAGE)
    told = [place for place in joined if place.join_sequence <= (run.last_sequence or 0)]
    return _Page(told, told[-1].join_sequence + 1 if len(told) == PAGE else None)


def _mail(run: MailRun, participant_id: str, template: TemplateKey, **data: Any) -> Mail:
    fact = f"{run.kind} {run.number}"
    mail = post.new_mail("program", run.campaign_id, participant_id, fact=fact, data=data)
    return replace(mail, template=template)
