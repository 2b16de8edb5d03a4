"""Share links: the keys that stand for a participant in them, and the links themselves."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit, urlunsplit

from grapevine.engine.program import installation_of
from grapevine.table.campaigns import Campaign
from grapevine.table.participants import Profile

LONGEST_VANITY_KEY = 20


def vanity_key_for(first_name: str | None, participant_id: str) -> str | None:
    """`gavin-f8g9nl` for a Gavin; None when the name has nothing that may stand in a key."""
    if first_name is None:
        return None
    plain = unicodedata.normalize("NFKD", first_name).encode("ascii", "ignore").decode().lower()
    word = re.sub(r"[^a-z0-9_-]", "", plain)[: LONGEST_VANITY_KEY - 1 - len(participant_id)]
    word = word.strip("-_")
    return f"{word}-{participant_id}" if word else None


def share_url(campaign: Campaign, profile: Profile) -> str:
    """The campaign's share URL with the participant's key as `grsf`: the first vanity key if there
    is one, else the id. Relative (`?grsf=…`) until the campaign has a share URL."""
    share_key = profile.vanity_keys[0] if profile.vanity_keys else profile.participant_id
    return with_query(installation_of(campaign).share_url or "", "grsf", share_key)


def with_query(url: str, name: str, value: str) -> str:
    """The URL with one parameter more, behind those that it has."""
    base = urlsplit(url)
    parameter = f"{name}={value}"
    query = f"{base.query}&{parameter}" if base.query else parameter
    return urlunsplit(base._replace(query=query))
