"""The secrets that decide a campaign's draws: made, replaced, and published when they are over.

A secret that may have been shown decides no draw any more. So a campaign that goes on after its end
gets a new one in the transaction that resumes it, and so does a save of mechanics of one that has
ended. The campaign holds the number of the secret that it goes on with: an event whose container
remembers mechanics with a former one reads them again. What a container remembers of the time
before the end is older than any secret that is shown: see `SHOWN_AFTER_MS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.draws import new_secret
from grapevine.table import mechanics_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.mechanics import DrawSecret, Mechanics, drawn_with
from grapevine.table.writes import ABSENT, Put, Write

SHOWN_AFTER_MS = 6 * CAMPAIGN_CACHE_MS
"""How long after its end a secret is shown at the earliest: by then no container draws with it,
whatever it remembers, and even if the clocks of two differ by seconds."""

MOST_FORMER = 50
"""How many of the former secrets are shown, the newest first."""


@dataclass(frozen=True, slots=True)
class Published:
    """`current` is None before the campaign's end."""

    current: str | None
    former: list[DrawSecret]


def published(played: Played) -> Published:
    """What may be known of a campaign's secrets. Hidden moments follow from them: none is shown
    before the last time at which one can lie.

    One read, if there are former ones.
    """
    mechanics, campaign, now = played.mechanics, played.campaign, runtime.now_ms()
    if mechanics is None or now <= (mechanics.hides_until or 0):
        return Published(None, [])
    has_ended = (
        not campaign.is_in_progress
        and campaign.ended_at is not None
        and mechanics.secret_at <= campaign.ended_at < now - SHOWN_AFTER_MS
    )
    former = [each for each in _former(mechanics) if each.until < now - SHOWN_AFTER_MS]
    return Published(mechanics.draw_secret if has_ended else None, former)


def _former(mechanics: Mechanics) -> Iterable[DrawSecret]:
    newest = mechanics.secret_number - 1
    numbers = range(newest, max(0, newest - MOST_FORMER), -1)
    keys = [mechanics_keys.draw_secret(mechanics.campaign_id, number) for number in numbers]
    found = store.get_many(keys) if keys else {}
    return [DrawSecret.from_item(found[key]) for key in keys if key in found]


def for_save(played: Played, spare: str, at: int) -> tuple[str, int, int, list[Write]]:
    """The secret of mechanics that are saved at a time (ms), its number, since when (ms) it is
    theirs, and what to write besides. `spare` is a new secret, for where one is needed."""
    before = played.mechanics
    if before is None:
        return spare, played.campaign.secret_number + 1, at, []
    if played.campaign.is_in_progress or played.campaign.ended_at is None:
        return before.draw_secret, before.secret_number, before.secret_at, []
    return spare, before.secret_number + 1, at, [_kept(before, at)]


def hides_until(before: Mechanics | None, configuration: Configuration) -> int | None:
    """The last time (ms) at which a moment may ever have been hidden; None without any."""
    known = before.hides_until if before else None
    instant_win = configuration.instant_win
    if instant_win is None or instant_win.mode != "moments" or configuration.ends_at is None:
        return known
    return max(known or 0, configuration.ends_at)


def going_on(campaign: Campaign, changed: Campaign) -> tuple[Campaign, list[Write]]:
    """A campaign with its changes, and what to write with it: where it goes on after its end, it
    does so with a new secret."""
    if not changed.is_in_progress or campaign.status in ("DRAFT", "IN_PROGRESS"):
        return changed, []
    item = store.get(mechanics_keys.mechanics(campaign.campaign_id))
    if item is None:
        return changed, []
    before, now = Mechanics.from_item(item), runtime.now_ms()
    after = replace(
        before,
        draw_secret=new_secret(),
        secret_number=before.secret_number + 1,
        secret_at=now,
    )
    return replace(changed, secret_number=after.secret_number), [
        Put(after.to_item(), drawn_with(before)),
        _kept(before, now),
    ]


def _kept(mechanics: Mechanics, until: int) -> Put:
    former = DrawSecret(
        campaign_id=mechanics.campaign_id,
        number=mechanics.secret_number,
        secret=mechanics.draw_secret,
        until=until,
    )
    return Put(former.to_item(), ABSENT)
