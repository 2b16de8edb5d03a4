"""Single rows of a list: by the friend's e-mail address, or by the row's id."""

from __future__ import annotations

from grapevine.engine.participants.lookup import locate
from grapevine.errors import UnknownParticipant
from grapevine.table import keys, referral_rows, store
from grapevine.table.participants import Profile
from grapevine.table.referral_rows import Row, Scope


def with_email(scope: Scope, email: str) -> Row | None:
    """The referral of the participant with that address; never an invite (growsurf)."""
    if "@" not in email:
        return None
    try:
        friend = locate(scope.campaign_id, email).load().profile
    except UnknownParticipant:
        return None
    return _referral_of(scope, friend)


def with_id(scope: Scope, row_id: str) -> Row | None:
    """The referral of the participant with that id, or the invite."""
    if not keys.is_id(row_id):
        return None
    referrer_id, dash, _ = row_id.rpartition("-")
    if dash:
        return referral_rows.find(scope, referrer_id, row_id) if keys.is_id(referrer_id) else None
    item = store.get(keys.profile(scope.campaign_id, row_id))
    return _referral_of(scope, Profile.from_item(item)) if item else None


def _referral_of(scope: Scope, friend: Profile) -> Row | None:
    if friend.referrer_id is None:
        return None
    return referral_rows.find(scope, friend.referrer_id, friend.participant_id)
