"""Whether a mail may go out as things are now, where to, and what is known for writing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine.mail import identities, unsubscribing
from grapevine.engine.mail.addresses import deliverable
from grapevine.engine.mail.content import Occasion
from grapevine.engine.mail.settings import settings_of
from grapevine.engine.mail.transitions import GIVE_UP_AFTER_MS
from grapevine.engine.salts import address_hash, new_salt, salt_in
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.invites import Invite
from grapevine.table.keys import Key
from grapevine.table.mail import Mail, MailState, MailText
from grapevine.table.participants import Profile, normalise_email

_WHEN_ENDED = frozenset({"campaignEndedWinners", "campaignEndedNonWinners"})
"""What is sent although, or because, the campaign is not in progress."""


class Stopped(Exception):
    """The mail must not go out; it ends in `state`, for `reason`."""

    def __init__(self, state: MailState, reason: str) -> None:
        super().__init__(reason)
        self.state: MailState = state
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ready:
    """An e-mail that may go out, and where to: an address in ASCII."""

    occasion: Occasion
    recipient: str
    address_hash: str


def prepared(mail: Mail) -> Ready:
    """Raises Stopped."""
    if mail.created_at + GIVE_UP_AFTER_MS < runtime.now_ms():
        raise Stopped("FAILED", mail.reason or "too late")
    found = store.get_many(_wanted(mail))
    campaign = _campaign(mail, found)
    profile = _profile(mail, found)
    email = _address(mail, profile, found)
    salt = salt_in(found, mail.campaign_id) or new_salt(mail.campaign_id)
    hashed = address_hash(salt, email)
    _require_welcome(mail, email, hashed)
    recipient = deliverable(email)
    if recipient is None:
        raise Stopped("FAILED", "no deliverable address")
    text = found.get(_text_key(mail)) if mail.text_id else None
    occasion = Occasion(
        mail=mail,
        campaign=campaign,
        settings=settings_of(campaign),
        profile=profile,
        text=MailText.from_item(text) if text else None,
        unsubscribe_url=_unsubscribe_url(mail, salt, hashed),
    )
    return Ready(occasion, recipient, hashed)


def _wanted(mail: Mail) -> list[Key]:
    campaign_id = mail.campaign_id
    wanted = [
        keys.campaign(campaign_id),
        keys.salt(campaign_id),
        keys.profile(campaign_id, mail.participant_id),
    ]
    if mail.text_id:
        wanted.append(_text_key(mail))
    if mail.kind == "invite":
        wanted.append(_invite_key(mail))
    return wanted


def _text_key(mail: Mail) -> Key:
    return keys.mail_text(mail.campaign_id, mail.text_id or "")


def _invite_key(mail: Mail) -> Key:
    return keys.invite(mail.campaign_id, mail.participant_id, mail.address_hash or "")


def _campaign(mail: Mail, found: Mapping[Key, Item]) -> Campaign:
    item = found.get(keys.campaign(mail.campaign_id))
    campaign = Campaign.from_item(item) if item else None
    if campaign is None or campaign.status == "DELETED":
        raise Stopped("SUPPRESSED", "deleted")
    if not campaign.sends_mail:
        raise Stopped("SUPPRESSED", "no From address")
    if not identities.is_allowed(campaign.account_id, settings_of(campaign).from_email or ""):
        raise Stopped("SUPPRESSED", "From address not allowed")
    is_asked_for = bool(mail.data.get("asked"))
    always = mail.kind == "freeform" or is_asked_for or mail.template in _WHEN_ENDED
    if not campaign.is_in_progress and not always:
        raise Stopped("SUPPRESSED", "campaign not in progress")
    return campaign


def _profile(mail: Mail, found: Mapping[Key, Item]) -> Profile:
    item = found.get(keys.profile(mail.campaign_id, mail.participant_id))
    if item is None:
        raise Stopped("SUPPRESSED", "deleted")
    profile = Profile.from_item(item)
    if profile.unsubscribed and mail.kind != "invite":
        raise Stopped("SUPPRESSED", "unsubscribed")
    return profile


def _address(mail: Mail, profile: Profile, found: Mapping[Key, Item]) -> str:
    if mail.kind != "invite":
        return profile.email
    item = found.get(_invite_key(mail))
    if item is None:
        # It goes away when the address joins.
        raise Stopped("SUPPRESSED", "joined")
    return Invite.from_item(item).email


def _require_welcome(mail: Mail, email: str, hashed: str) -> None:
    """Nobody is invited who has joined meanwhile, through whomever; nobody gets anything who does
    not want it."""
    suppression_key = keys.suppression(mail.campaign_id, hashed)
    guard_key = keys.email_guard(mail.campaign_id, normalise_email(email))
    is_invite = mail.kind == "invite"
    found = store.get_many([suppression_key, *([guard_key] if is_invite else [])])
    if guard_key in found:
        raise Stopped("SUPPRESSED", "joined")
    if suppression_key in found:
        raise Stopped("SUPPRESSED", "suppressed")


def _unsubscribe_url(mail: Mail, salt: str, hashed: str) -> str:
    if mail.kind == "invite":
        return unsubscribing.url_of(mail.campaign_id, salt, "a", hashed)
    return unsubscribing.url_of(mail.campaign_id, salt, "p", mail.participant_id)
