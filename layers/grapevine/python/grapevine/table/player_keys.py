"""Where a player's items live: one partition for each player of a campaign.

A user id is the customer's own word and may hold anything; percent-encoding leaves only letters,
digits and `_.-~%` of it. All other ids are checked as in `table/keys.py`.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from grapevine.table import keys
from grapevine.table.keys import Key

LONGEST_USER_ID = 100

EVENT_PREFIX = "EVENT#"
LEDGER_PREFIX = "LEDGER#"
MILESTONE_PREFIX = "MILESTONE#"
REVERSAL_PREFIX = "REVERSAL#"
WIN_PREFIX = "WIN#"

_PLAYER = "#PLAYER#"
_PLACE = re.compile(r"[0-9]{15}\.[A-Za-z0-9_-]{1,100}(\.[0-9]{2})?")


def _id(text: str) -> str:
    if not keys.is_id(text):
        raise ValueError("not an id")
    return text


def is_user_id(text: str) -> bool:
    """Whether `text` can be a user id at all: not blank, not too long, and Unicode text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return bool(text.strip()) and len(text) <= LONGEST_USER_ID


def _partition(campaign_id: str, user_id: str) -> str:
    """Raises ValueError for what cannot be a user id."""
    if not is_user_id(user_id):
        raise ValueError("not a user id")
    return f"{keys.campaign(campaign_id).partition}{_PLAYER}{quote(user_id, safe='')}"


def player(campaign_id: str, user_id: str) -> Key:
    return Key(_partition(campaign_id, user_id), "STATE")


def player_event(campaign_id: str, user_id: str, event_id: str) -> Key:
    return Key(_partition(campaign_id, user_id), f"{EVENT_PREFIX}{_id(event_id)}")


def ledger_line(campaign_id: str, user_id: str, at: int, event_id: str, number: int) -> Key:
    """Lines sort by time (ms), then by event; those of one event in the order of `number`."""
    sort = f"{LEDGER_PREFIX}{at:015d}#{_id(event_id)}#{number:02d}"
    return Key(_partition(campaign_id, user_id), sort)


def win(campaign_id: str, user_id: str, at: int, event_id: str) -> Key:
    return Key(_partition(campaign_id, user_id), f"{WIN_PREFIX}{at:015d}#{_id(event_id)}")


def place_of(sort: str) -> str:
    """Where a ledger line or a win stands among all of its kind, as clients hand it back."""
    return sort.split("#", 1)[1].replace("#", ".")


def sort_at(prefix: str, place: str) -> str:
    """The sort key of a `place_of` (with an empty prefix: the place in a list of the campaign).
    Raises ValueError for what cannot be one."""
    if _PLACE.fullmatch(place) is None:
        raise ValueError("not a place")
    return prefix + place.replace(".", "#")


def last_with(prefix: str) -> str:
    """Sorts after all sort keys with one of the prefixes above."""
    return f"{prefix}~"


def lines_of_event(at: int, event_id: str) -> tuple[str, str]:
    """The first and the last sort key that an event's ledger lines can have."""
    place = f"{LEDGER_PREFIX}{at:015d}#{_id(event_id)}#"
    return place, last_with(place)


def milestone_award(campaign_id: str, user_id: str, milestone_id: str, number: int) -> Key:
    """`number` counts how often the milestone has been reached by then, from 1."""
    sort = f"{MILESTONE_PREFIX}{_id(milestone_id)}#{number:06d}"
    return Key(_partition(campaign_id, user_id), sort)


def milestone_awards(campaign_id: str, user_id: str, milestone_id: str) -> tuple[str, str]:
    """The partition of a player's awards of a milestone, and how their sort keys begin; the last
    one is that of the highest number."""
    return _partition(campaign_id, user_id), f"{MILESTONE_PREFIX}{_id(milestone_id)}#"


def reversal(campaign_id: str, user_id: str, event_id: str) -> Key:
    return Key(_partition(campaign_id, user_id), f"{REVERSAL_PREFIX}{_id(event_id)}")


def player_period(campaign_id: str, user_id: str, period: str) -> Key:
    return Key(_partition(campaign_id, user_id), f"PERIOD#{_id(period)}")


def points_board(campaign_id: str) -> str:
    return f"{keys.campaign(campaign_id).partition}#BOARD#POINTS"


def period_board(campaign_id: str, period: str, number: int) -> str:
    """`number` as in `engine/mechanics/periods.py`."""
    return f"{points_board(campaign_id)}#{_id(period)}#{number:07d}"


def user_in(partition: str) -> str:
    """The user id in the partition of one of the player's items."""
    return unquote(partition.rsplit("#", 1)[1])
