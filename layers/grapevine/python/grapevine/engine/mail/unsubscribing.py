"""Unsubscribing by a link: tokens that say who, and that nobody can make who has not had the mail.

A token is not stored. It is signed with the campaign's salt, and never ends: a link in an old
e-mail must work.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Literal

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.salts import address_hash, new_salt, participant_hash, salt_in
from grapevine.errors import NotFound
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.mail import Suppression
from grapevine.table.participants import Profile
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import (
    ABSENT,
    Delete,
    Put,
    Write,
    suppressed_for,
    version,
    wished_by,
)

Kind = Literal["p", "a"]
"""A participant by its id, or an address by its hash."""

_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who a valid token stands for, and the campaign whose e-mails it ends."""

    campaign: Campaign
    kind: Kind
    name: str


def url_of(campaign_id: str, salt: str, kind: Kind, name: str) -> str:
    """The link for one recipient of a campaign's e-mails."""
    token = token_of(campaign_id, salt, kind, name)
    return f"{runtime.settings().public_url}/unsubscribe/{token}"


def token_of(campaign_id: str, salt: str, kind: Kind, name: str) -> str:
    return ".".join([campaign_id, kind, name, _signature(salt, campaign_id, kind, name)])


def subscriber_of(token: str) -> Subscriber:
    """Raises NotFound for a token that was never given, or whose campaign is gone."""
    campaign_id, kind, name, signature = (*token.split("."), "", "", "")[:4]
    unknown = NotFound("This link is not valid.")
    if token.count(".") != 3 or kind not in ("p", "a") or not keys.is_id(campaign_id):
        raise unknown
    campaign_key = keys.campaign(campaign_id)
    found = store.get_many([campaign_key, keys.salt(campaign_id)])
    salt = salt_in(found, campaign_id)
    if salt is None or campaign_key not in found or not keys.is_id(name):
        raise unknown
    expected = _signature(salt, campaign_id, kind, name)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise unknown
    return Subscriber(Campaign.from_item(found[campaign_key]), "p" if kind == "p" else "a", name)


def unsubscribe(token: str) -> Subscriber:
    """No e-mail of the campaign goes there any more. Safe to repeat; a participant who has been
    deleted is unsubscribed anyway.

    Raises:
        NotFound
        Busy: nothing was written.
    """
    subscriber = subscriber_of(token)
    if subscriber.kind == "p":
        _unsubscribe_participant(subscriber.campaign.campaign_id, subscriber.name)
    else:
        _suppress_address(subscriber.campaign.campaign_id, subscriber.name)
    return subscriber


def _suppress_address(campaign_id: str, hashed: str) -> None:
    """Whoever reads what comes to the address wishes it, so no participant's change undoes it."""
    suppression = _suppression(campaign_id, hashed)
    for _ in attempts():
        item = store.get(suppression.key)
        if item is not None and Suppression.from_item(item).wish_of is None:
            return
        condition = suppressed_for("UNSUBSCRIBED") if item else ABSENT
        try:
            if store.put(suppression.to_item(), condition):
                return
        except TransactionCanceled:
            continue


def _unsubscribe_participant(campaign_id: str, participant_id: str) -> None:
    for _ in attempts():
        item = store.get(keys.profile(campaign_id, participant_id))
        if item is None:
            return
        profile = Profile.from_item(item)
        if profile.unsubscribed:
            return
        changed = replace(profile, version=profile.version + 1, unsubscribed=True)
        writes: list[Write] = [Put(changed.to_item(), version(profile.version))]
        try:
            store.transact([*writes, *wish_writes(profile, changed)])
        except TransactionCanceled:
            continue
        return


def wish_writes(before: Profile, after: Profile) -> list[Write]:
    """What a change of a profile, written in the same transaction, says of its address: so that the
    wish to get nothing outlives the participant, and an address that it leaves.

    Whoever unsubscribes puts the address on the suppression list; whoever is subscribed again
    takes it off, but for an address that has bounced or complained. An address that was left stays
    on it for everybody else; a subscribed participant who comes back to it takes it off if it was
    this participant's wish.

    Raises:
        Busy: nothing was written.
    """
    moves = before.email_guard != after.email_guard
    subscribes = before.unsubscribed and not after.unsubscribed
    if not moves and before.unsubscribed == after.unsubscribed:
        return []
    campaign_id = after.campaign_id
    salt_key = keys.salt(campaign_id)
    salt = salt_in(store.get_many([salt_key]), campaign_id)
    if salt is None:
        if not after.unsubscribed:
            # Nobody has been suppressed without one.
            return []
        salt = new_salt(campaign_id)
    emails = {before.email, after.email} if subscribes else {after.email}
    hashes = [address_hash(salt, email) for email in emails]
    found = store.get_many([keys.suppression(campaign_id, hashed) for hashed in hashes])
    known = [
        one for one in map(Suppression.from_item, found.values()) if one.reason == "UNSUBSCRIBED"
    ]
    own = participant_hash(salt, after.participant_id)
    # A bounce or a complaint may come meanwhile, so reason or wish must still be what they were.
    if subscribes:
        return [Delete(one.key, suppressed_for(one.reason)) for one in known]
    if not after.unsubscribed:
        return [Delete(one.key, wished_by(own)) for one in known if one.wish_of == own]
    wish = _suppression(campaign_id, hashes[0], own)
    if not found:
        return [Put(wish.to_item(), ABSENT)]
    others = [one.wish_of for one in known if one.wish_of not in (None, own)]
    return [Put(wish.to_item(), wished_by(other)) for other in others if other]


def _suppression(campaign_id: str, hashed: str, wish_of: str | None = None) -> Suppression:
    return Suppression(
        campaign_id=campaign_id,
        address_hash=hashed,
        reason="UNSUBSCRIBED",
        wish_of=wish_of,
        at=runtime.now_ms(),
    )


def _signature(salt: str, campaign_id: str, kind: str, name: str) -> str:
    text = f"unsubscribe\n{campaign_id}\n{kind}\n{name}"
    mac = hmac.new(salt.encode(), text.encode(), hashlib.sha256).digest()[:_MAC_BYTES]
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
