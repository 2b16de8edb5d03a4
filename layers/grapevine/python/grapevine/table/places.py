"""Where things stand in lists: referrals and invites in the indexes that list them, lines in a
participant's activity log.

A place ends with the row's id, so no two are equal. Ids are checked as in `table/keys.py`.
"""

from __future__ import annotations

from grapevine.table import keys
from grapevine.table.keys import Key

ACTIVITY_PREFIX = "ACTIVITY#"


def _id(text: str) -> str:
    if not keys.is_id(text):
        raise ValueError("not an id")
    return text


def referral_list(campaign_id: str) -> str:
    """All referrals and invites of the campaign."""
    return f"{keys.campaign(campaign_id).partition}#REFERRALS"


def referral_list_with(campaign_id: str, status: str) -> str:
    """Those with one status."""
    return f"{referral_list(campaign_id)}#{_id(status)}"


def moment(status: str, at: int) -> str:
    """Sorts before all places of that status from `at` (ms) on, after those of any time before."""
    return f"{_id(status)}#{at:015d}"


def by_status(status: str, at: int, row_id: str) -> str:
    return f"{moment(status, at)}#{_id(row_id)}"


def by_created(at: int, row_id: str) -> str:
    return f"{at:015d}#{_id(row_id)}"


def first_created(at: int) -> str:
    """Sorts before all places by creation from `at` (ms) on, after all earlier ones."""
    return f"{at:015d}"


def last_created(at: int) -> str:
    """Sorts after all places by creation up to `at` (ms), before all later ones."""
    return f"{at:015d}#~"


def by_email(email: str, row_id: str) -> str:
    """An address that begins with another one sorts after it: no domain has a character below
    the separator."""
    return f"{email}#{_id(row_id)}"


def activity(campaign_id: str, participant_id: str, at: int, fact_hash: str) -> Key:
    """Lines of a participant sort by their time."""
    partition = keys.profile(campaign_id, participant_id).partition
    return Key(partition, f"{ACTIVITY_PREFIX}{at:015d}#{_id(fact_hash)}")


def time_in(place: str) -> int:
    """The time in a place by status or by creation."""
    return int(place.rsplit("#", 2)[-2])


def row_id_in(place: str) -> str:
    return place.rsplit("#", 1)[1]


def email_and_row_in(place: str) -> tuple[str, str]:
    """An address may hold the separator, an id does not."""
    email, row_id = place.rsplit("#", 1)
    return email, row_id


def is_referral(sort: str) -> bool:
    """Whether the item with that sort key is a referral, not an invite."""
    return sort.startswith(keys.REFERRAL_PREFIX)
