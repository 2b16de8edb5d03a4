"""A participant invites people by e-mail: each address once, within daily limits.

Accepted addresses become Invite items, in transactions of as many as fit; the stream makes an
e-mail of each. So a request that dies in between has accepted some, and its repetition the rest: it
knows the invites that it made by their `request_hash`, and answers as if it had never died.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mail import identities
from grapevine.engine.mail.limits import day_at, invitations_in, reserve
from grapevine.engine.mail.post import new_mail
from grapevine.engine.mail.settings import EmailSettings, settings_of
from grapevine.engine.participants.lookup import Participant
from grapevine.engine.salts import address_hash, new_salt, salt_in
from grapevine.errors import Busy, InvalidRequest, LimitReached, UnknownParticipant
from grapevine.months import DAY_MS
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.invitations import Invitations, InviteDay
from grapevine.table.invites import Invite
from grapevine.table.keys import Key
from grapevine.table.mail import Mail, MailText
from grapevine.table.participants import normalise_email
from grapevine.table.standings import Standing
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Check, Put, Write, version

MOST_ADDRESSES = 100

REPEATED_WITHIN_MS = 10 * 60 * 1000
"""For so long the same request is taken for a repetition, and answered like the first."""

TEXT_KEPT_MS = 9 * DAY_MS
"""Longer than an e-mail can wait; a text may be a day old when it is used again."""

_AT_ONCE = 49
"""Addresses of one transaction: two writes each, and two more, of the hundred that it may have."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a request asks for: addresses as they were sent, a subject and a message."""

    emails: Sequence[str]
    subject: str
    message: str


def invite(campaign: Campaign, participant: Participant, invitation: Invitation) -> int:
    """How many addresses were accepted, by this request or by the one that it repeats.

    Left out are participants of the campaign, those that this participant has invited before, and
    those that want no e-mail. When a daily limit does not leave room for all, the first ones are
    accepted.

    Raises:
        InvalidRequest: the campaign cannot send e-mail now.
        UnknownParticipant: the participant was deleted meanwhile.
        LimitReached: a daily limit leaves no room for any.
        Busy: some may have been accepted; repeating is safe.
    """
    settings = _sending_settings(campaign)
    return _Request(campaign, participant, invitation, settings).carry_out()


def mail_of(invite: Invite) -> Mail:
    """The one e-mail of an invite."""
    fact = f"{invite.address_hash}\n{invite.created_at}"
    mail = new_mail(
        "invite", invite.campaign_id, invite.referrer_id, fact=fact, text_id=invite.message_id
    )
    return replace(mail, address_hash=invite.address_hash)


def _sending_settings(campaign: Campaign) -> EmailSettings:
    settings = settings_of(campaign)
    if settings.from_email is None:
        raise InvalidRequest("The campaign has no 'From' email address to send invites from.")
    if not identities.is_allowed(campaign.account_id, settings.from_email):
        raise InvalidRequest("The account may not send from the campaign's 'From' email address.")
    try:
        verified = identities.is_verified(settings.from_email)
    except Busy:
        # It was verified when it was set; if it is not any more, its e-mails wait.
        verified = True
    if not verified:
        raise InvalidRequest("The campaign's 'From' email address is not verified.")
    if not campaign.is_in_progress:
        raise InvalidRequest("Invites can be sent while the campaign is in progress.")
    return settings


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of the addresses at one moment: those that this request has invited, and those
    that may still be, in their order. `invitations` has version 0 where there is no item."""

    accepted: int
    waiting: list[str]
    invitations: Invitations
    standing: Standing
    reserved: int


class _Request:
    def __init__(
        self,
        campaign: Campaign,
        participant: Participant,
        invitation: Invitation,
        settings: EmailSettings,
    ) -> None:
        self._campaign_id = campaign.campaign_id
        self._participant_id = participant.participant_id
        self._settings = settings
        self._now = runtime.now_ms()
        self._day = day_at(self._now)
        found = store.get_many([keys.salt(self._campaign_id)])
        salt = salt_in(found, self._campaign_id) or new_salt(self._campaign_id)
        # One address in several spellings is one.
        self._emails: dict[str, str] = {}
        for email in invitation.emails:
            self._emails.setdefault(address_hash(salt, email), email)
        self._request_hash = _hash_of(
            [self._participant_id, invitation.subject, invitation.message, *sorted(self._emails)]
        )
        self._text = MailText(
            campaign_id=self._campaign_id,
            text_id=f"text_{self._request_hash[:24]}_{self._day}",
            subject=invitation.subject,
            message=invitation.message,
            expires_at=(self._now + TEXT_KEPT_MS) // 1000,
        )
        self._in_reserve = 0
        self._accepted: set[str] = set()

    def carry_out(self) -> int:
        # Where it is there already, it says the same.
        store.put(self._text.to_item(), ABSENT)
        while True:
            for _ in attempts():
                seen = self._look()
                if not seen.waiting:
                    return seen.accepted
                room = self._room(seen)
                if room is None:
                    continue
                if not room:
                    return self._at_the_limit(seen)
                if self._accept(seen, seen.waiting[:room]):
                    break

    def _look(self) -> _Seen:
        campaign_id, participant_id = self._campaign_id, self._participant_id
        invitations_key = keys.invitations(campaign_id, participant_id)
        standing_key = keys.standing(campaign_id, participant_id)
        day_key = keys.invite_day(campaign_id, self._day)
        unknown = [hashed for hashed in self._emails if hashed not in self._accepted]
        found = store.get_many([invitations_key, standing_key, day_key, *self._keys(unknown)])
        standing = Standing.from_item(found[standing_key]) if standing_key in found else None
        if standing is None or standing.deleted_at is not None:
            raise UnknownParticipant
        day = InviteDay.from_item(found[day_key]) if day_key in found else None
        invitations = invitations_in(found, standing)
        if invitations.deleted_at is not None:
            raise UnknownParticipant
        self._accepted |= {hashed for hashed in unknown if self._is_mine(found, hashed)}
        return _Seen(
            accepted=len(self._accepted),
            waiting=[h for h in unknown if not any(key in found for key in self._keys([h]))],
            invitations=invitations,
            standing=standing,
            reserved=day.reserved if day else 0,
        )

    def _keys(self, hashes: Iterable[str]) -> list[Key]:
        """What tells that an address is not to be invited: there is one of these."""
        campaign_id = self._campaign_id
        return [
            key
            for hashed in hashes
            for key in (
                keys.invite(campaign_id, self._participant_id, hashed),
                keys.suppression(campaign_id, hashed),
                self._guard_key(hashed),
            )
        ]

    def _guard_key(self, hashed: str) -> Key:
        return keys.email_guard(self._campaign_id, normalise_email(self._emails[hashed]))

    def _is_mine(self, found: Mapping[Key, Item], hashed: str) -> bool:
        item = found.get(keys.invite(self._campaign_id, self._participant_id, hashed))
        if item is None:
            return False
        invite = Invite.from_item(item)
        is_recent = self._now - invite.created_at <= REPEATED_WITHIN_MS
        return invite.request_hash == self._request_hash and is_recent

    def _room(self, seen: _Seen) -> int | None:
        """How many may be accepted now; so many are reserved of the campaign's day. None when its
        day must be looked at again."""
        left = self._settings.daily_invites_per_participant - seen.invitations.count_on(self._day)
        wanted = min(len(seen.waiting), _AT_ONCE, max(left, 0))
        missing = wanted - self._in_reserve
        if missing > 0:
            limit = self._settings.daily_invites
            granted = reserve(self._campaign_id, self._day, missing, seen.reserved, limit)
            if granted is None:
                return None
            self._in_reserve += granted
        return min(wanted, self._in_reserve)

    def _at_the_limit(self, seen: _Seen) -> int:
        if seen.accepted:
            return seen.accepted
        seconds = ((self._day + 1) * DAY_MS - self._now) // 1000 + 1
        raise LimitReached("You have reached your daily limit of invites.", seconds)

    def _accept(self, seen: _Seen, hashes: Sequence[str]) -> bool:
        """False when somebody else has changed one of these; nothing was written then."""
        before = seen.invitations
        after = replace(
            before,
            version=before.version + 1,
            invite_count=before.invite_count + len(hashes),
            day=self._day,
            day_count=before.count_on(self._day) + len(hashes),
        )
        writes: list[Write] = [
            Put(after.to_item(), version(before.version) if before.version else ABSENT)
        ]
        if not before.version:
            # From here on the item itself says that the participant is there.
            writes.append(Check(seen.standing.key, version(seen.standing.version)))
        for hashed in hashes:
            writes.append(Put(self._invite(hashed).to_item(), ABSENT))
            writes.append(Check(self._guard_key(hashed), ABSENT))
        try:
            store.transact(writes)
        except TransactionCanceled:
            return False
        self._in_reserve -= len(hashes)
        self._accepted |= set(hashes)
        return True

    def _invite(self, hashed: str) -> Invite:
        return Invite(
            campaign_id=self._campaign_id,
            referrer_id=self._participant_id,
            address_hash=hashed,
            email=self._emails[hashed],
            request_hash=self._request_hash,
            message_id=self._text.text_id,
            created_at=self._now,
        )


def _hash_of(parts: Sequence[str]) -> str:
    # Lengths first, so that no two different requests are one text.
    told = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
