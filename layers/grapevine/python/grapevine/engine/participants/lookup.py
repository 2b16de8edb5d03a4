"""Finding a participant by id or by e-mail address, wherever the API lets one be named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grapevine.errors import UnknownParticipant
from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.participants import EmailGuard, KeyGuard, Profile, normalise_email
from grapevine.table.standings import Standing

MAX_EMAIL_BYTES = 1000
"""More than any stored address has; a key of the table may have 2048."""


@dataclass(frozen=True, slots=True)
class Participant:
    profile: Profile
    standing: Standing

    @property
    def participant_id(self) -> str:
        return self.profile.participant_id


def participant_keys(campaign_id: str, participant_id: str) -> list[Key]:
    return [keys.profile(campaign_id, participant_id), keys.standing(campaign_id, participant_id)]


def participant_in(
    found: Mapping[Key, Item], campaign_id: str, participant_id: str
) -> Participant | None:
    """The participant among items already read; None when it is not there or deleted."""
    profile, standing = (found.get(key) for key in participant_keys(campaign_id, participant_id))
    if profile is None or standing is None:
        return None
    return Participant(Profile.from_item(profile), Standing.from_item(standing))


def load(campaign_id: str, participant_id: str) -> Participant:
    """Raises UnknownParticipant."""
    found = store.get_many(participant_keys(campaign_id, participant_id))
    participant = participant_in(found, campaign_id, participant_id)
    if participant is None:
        raise UnknownParticipant
    return participant


@dataclass(frozen=True, slots=True)
class Reference:
    """A participant as a caller names it; an `@` tells an e-mail address from an id."""

    campaign_id: str
    text: str

    @property
    def is_email(self) -> bool:
        return "@" in self.text

    def first_keys(self) -> list[Key]:
        """What to read first; empty when nothing can have this name."""
        if self.is_email:
            guard = _email_guard_key(self.campaign_id, self.text)
            return [guard] if guard else []
        if not keys.is_id(self.text):
            return []
        return participant_keys(self.campaign_id, self.text)


@dataclass(frozen=True, slots=True)
class Located:
    """A reference together with the first read of it."""

    reference: Reference
    found: Mapping[Key, Item]

    def load(self) -> Participant:
        """The participant; an e-mail address takes a second read.

        Raises:
            UnknownParticipant
        """
        campaign_id = self.reference.campaign_id
        first_keys = self.reference.first_keys()
        if not first_keys:
            raise UnknownParticipant
        if self.reference.is_email:
            guard = self.found.get(first_keys[0])
            if guard is None:
                raise UnknownParticipant
            return load(campaign_id, EmailGuard.from_item(guard).participant_id)
        participant = participant_in(self.found, campaign_id, self.reference.text)
        if participant is None:
            raise UnknownParticipant
        return participant


def locate(campaign_id: str, text: str) -> Located:
    reference = Reference(campaign_id, text)
    return Located(reference, store.get_many(reference.first_keys()))


def referrer_guard_key(campaign_id: str, referred_by: str) -> Key | None:
    """Where to look for the referrer that an id, a vanity key or an e-mail address names; None
    when nothing can have that name."""
    if "@" in referred_by:
        return _email_guard_key(campaign_id, referred_by)
    share_key = referred_by.strip()
    return keys.key_guard(campaign_id, share_key) if keys.is_id(share_key) else None


def _email_guard_key(campaign_id: str, text: str) -> Key | None:
    email = normalise_email(text)
    # A path can carry anything, even half a surrogate pair, which no stored address has.
    size = len(email.encode("utf-8", "surrogatepass"))
    usable = size <= MAX_EMAIL_BYTES and email.isprintable()
    return keys.email_guard(campaign_id, email) if usable else None


def referrer_id_in(item: Item | None) -> str | None:
    """The participant that a guard found by `referrer_guard_key` belongs to."""
    if item is None:
        return None
    guard = (EmailGuard if item["type"] == EmailGuard.TYPE else KeyGuard).from_item(item)
    return guard.participant_id
