"""An e-mail to one participant that the API is asked for: by a template, or a text of its own.

The request is remembered in the transaction that stores the e-mail. So a client's automatic
repetition, even one that comes at the same moment, finds it and asks for nothing more.

| the process dies after | what follows |
|---|---|
| reading | nothing has happened |
| the transaction, or the queue fails | it is due: the sweep takes it up two minutes later |
| the message | it is sent |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mail import identities, post
from grapevine.engine.mail.facts import reward_data
from grapevine.engine.mail.settings import settings_of
from grapevine.engine.mail.templates.template import TemplateKey
from grapevine.engine.messages import NotQueued
from grapevine.engine.participants.lookup import Located, Participant
from grapevine.errors import Busy, InvalidRequest, LimitReached, Problem, UnknownParticipant
from grapevine.log import logger
from grapevine.months import DAY_MS
from grapevine.table import email_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.email_requests import EmailRequests
from grapevine.table.mail import Mail, MailText
from grapevine.table.rewards import earned_by
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, PRESENT, Check, Put, Write, version

SAME_REQUEST_MS = 10 * 60 * 1000
"""For so long an equal request is a repetition. SDKs repeat within seconds."""

MOST_A_DAY = 20
"""E-mails that can be asked for, for one participant and UTC day."""

_TEXT_KEPT_MS = 7 * DAY_MS
_REWARDS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Request:
    """Either a template, or a subject and a body."""

    template: TemplateKey | None
    subject: str | None = None
    body: str | None = None
    preheader: str | None = None

    @property
    def hash(self) -> str:
        told = json.dumps([self.template, self.subject, self.body, self.preheader])
        return hashlib.sha256(told.encode()).hexdigest()[:20]


def ask(campaign: Campaign, located: Located, request: Request) -> None:
    """Queues the e-mail, unless the same was asked for within ten minutes.

    Whether a template is on does not matter here (growsurf); the recipient's wishes do.

    Raises:
        InvalidRequest: no verified From address, or the participant or the campaign is not in a
            state for this e-mail.
        UnknownParticipant
        LimitReached
        Busy: nothing was written.
    """
    _require_sender(campaign)
    participant = located.load()
    _require_sendable(campaign, participant, request)
    data = {"asked": True, **_data(participant, request)}
    requests_key = email_keys.email_requests(campaign.campaign_id, participant.participant_id)
    for _ in attempts():
        item = store.get(requests_key)
        before = EmailRequests.from_item(item) if item else None
        after = _counted(participant, before, request)
        if after is None:
            return
        mail, text = _mail(participant, request, data)
        profile_key = participant.profile.key
        # Nothing is to be remembered of somebody who has been deleted meanwhile.
        writes: list[Write] = [Check(profile_key, PRESENT)]
        writes.append(Put(after.to_item(), version(before.version) if before else ABSENT))
        writes += [Put(each.to_item(), ABSENT) for each in (mail, text) if each is not None]
        try:
            store.transact(writes)
        except TransactionCanceled as lost:
            if profile_key in lost.failed:
                raise UnknownParticipant from None
            continue
        _queue(mail)
        return


def _queue(mail: Mail) -> None:
    """The e-mail is stored, and goes out with the sweep in two minutes at the latest: a queue that
    fails now is no reason to call the request a failure."""
    try:
        post.queue_keys([mail.key])
    except (NotQueued, BotoCoreError, ClientError) as error:
        logger().warning("not queued", mailId=mail.mail_id, errorType=type(error).__name__)


def _require_sender(campaign: Campaign) -> None:
    address = settings_of(campaign).from_email
    if address is None or not _is_verified(address):
        raise _unsendable("The campaign has no verified From address.")
    if not identities.is_allowed(campaign.account_id, address):
        raise _unsendable("The account may not send from the campaign's From address.")


def _is_verified(address: str) -> bool:
    try:
        return identities.is_verified(address)
    except Busy:
        # It was verified when it was set; if it is not any more, its e-mails wait.
        return True


def _require_sendable(campaign: Campaign, participant: Participant, request: Request) -> None:
    if participant.profile.unsubscribed:
        raise _unsendable("The participant has unsubscribed from e-mails.")
    has_ended = campaign.status in {"COMPLETE", "CANCELLED"}
    if request.template == "welcomeNonReferred" and has_ended:
        raise _unsendable("This e-mail cannot be sent when the campaign has ended.")


def _unsendable(message: str) -> InvalidRequest:
    return InvalidRequest(message, Problem("body", "emailType", "unsendable", message))


def _counted(
    participant: Participant, before: EmailRequests | None, request: Request
) -> EmailRequests | None:
    """What is remembered with this request; None when it is a repetition."""
    now = runtime.now_ms()
    day = now // DAY_MS
    known = before or EmailRequests(
        campaign_id=participant.profile.campaign_id, participant_id=participant.participant_id
    )
    recent = {one: at for one, at in known.recent.items() if now - at < SAME_REQUEST_MS}
    if request.hash in recent:
        return None
    count = known.count_on(day)
    if count >= MOST_A_DAY:
        raise LimitReached(
            f"The participant has been sent {MOST_A_DAY} e-mails today.",
            retry_after_seconds=((day + 1) * DAY_MS - now) // 1000 + 1,
        )
    return replace(
        known,
        version=known.version + 1,
        day=day,
        day_count=count + 1,
        recent=recent | {request.hash: now},
        expires_at=(now + 2 * DAY_MS) // 1000,
    )


def _mail(
    participant: Participant, request: Request, data: Mapping[str, Any]
) -> tuple[Mail, MailText | None]:
    campaign_id, now = participant.profile.campaign_id, runtime.now_ms()
    mail = post.new_mail(
        "program" if request.template else "freeform",
        campaign_id,
        participant.participant_id,
        template=request.template,
        fact=f"asked {request.hash} {now}",
        data=data,
    )
    if request.template:
        return mail, None
    text = MailText(
        campaign_id=campaign_id,
        text_id=mail.mail_id,
        subject=request.subject or "",
        message=request.body or "",
        preheader=request.preheader,
        expires_at=(now + _TEXT_KEPT_MS) // 1000,
    )
    return replace(mail, text_id=text.text_id), text


def _data(participant: Participant, request: Request) -> dict[str, Any]:
    """For the e-mail about a reward, the newest approved one."""
    if request.template != "goalAchieved":
        return {}
    campaign_id = participant.profile.campaign_id
    rewards = earned_by(campaign_id, participant.participant_id, _REWARDS_LOOKED_AT)
    approved = next((one for one in rewards if one.approved_at is not None), None)
    return reward_data(approved) if approved else {}
