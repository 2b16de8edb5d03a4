"""The secrets that decide a campaign's draws: made, replaced, and published when they are over.

A secret that may have been shown decides no draw any more. So a campaign that goes on after its end
gets a new one in the transaction that resumes it, and so does a save of mechanics of one that has
ended, or whose `endsAt` is past: unless the last one was made since, and has decided nothing. The
campaign holds the number of the secret that it goes on with: an event whose container
remembers mechanics with a former one reads them again. What a container remembers of the time
before the end is older than any secret that is shown: see `SHOWN_AFTER_MS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from grapevine import runtime
from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.draws import commitment, new_secret
from grapevine.table import mechanics_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.mechanics import DrawSecret, Mechanics, drawn_with
from grapevine.table.writes import ABSENT, Put, Write

SHOWN_AFTER_MS = 6 * CAMPAIGN_CACHE_MS
"""How long after its end a secret is shown at the earliest: by then no container draws with it,
whatever it remembers, and even if the clocks of two differ by seconds."""

MOST_FORMER = 50
"""How many of the former secrets are listed, the newest first. Each event that drew leads to its
own for ever: see `told_of`."""


@dataclass(frozen=True, slots=True)
class Published:
    """`current` is None as long as it may decide something."""

    current: str | None
    former: list[DrawSecret]


def published(played: Played) -> Published:
    """What may be known of a campaign's secrets. Hidden moments follow from them: none is shown
    before the last time at which one can lie.

    One read, if there are former ones.
    """
    mechanics = played.mechanics
    if mechanics is None or _hides(mechanics):
        return Published(None, [])
    current = mechanics.draw_secret if _is_over(over_since(played)) else None
    return Published(current, [each for each in _former(mechanics) if _is_over(each.until)])


def told_of(played: Played, number: int) -> tuple[str, str | None]:
    """The commitment to the secret of that number, and the secret itself if it may be known: of
    any that has ever decided something, however many there were since.

    One read, if it is a former one.
    """
    mechanics = played.mechanics
    if mechanics is None:
        raise LookupError("nothing was ever drawn here")
    if number == mechanics.secret_number:
        secret, since = mechanics.draw_secret, over_since(played)
    else:
        item = store.get(mechanics_keys.draw_secret(mechanics.campaign_id, number))
        if item is None:
            raise LookupError("a secret that has decided something is kept")
        former = DrawSecret.from_item(item)
        secret, since = former.secret, former.until
    may_be_known = _is_over(since) and not _hides(mechanics)
    return commitment(secret), secret if may_be_known else None


def over_since(played: Played) -> int | None:
    """Since when (ms) the secret of now decides nothing any more; None while it may. That is so
    after the campaign's end, and after `endsAt`: mechanics that go further get another one. A
    secret that was made after the end has decided nothing, and is not over."""
    mechanics, campaign, end = played.mechanics, played.campaign, played.configuration.ends_at
    if mechanics is None or campaign.started_at is None:
        return None
    times = []
    ended_at = None if campaign.is_in_progress else campaign.ended_at
    if ended_at is not None and mechanics.secret_at <= ended_at:
        times.append(ended_at)
    if end is not None and mechanics.secret_at <= end < runtime.now_ms():
        # What had been saved before may have gone further.
        times.append(max(end, mechanics.changed_at))
    return min(times, default=None)


def _is_over(since: int | None) -> bool:
    """Whether it is so long ago that no container goes by what was before."""
    return since is not None and since < runtime.now_ms() - SHOWN_AFTER_MS


def _hides(mechanics: Mechanics) -> bool:
    return runtime.now_ms() <= (mechanics.hides_until or 0)


def _former(mechanics: Mechanics) -> Iterable[DrawSecret]:
    newest = mechanics.secret_number - 1
    numbers = range(newest, max(0, newest - MOST_FORMER), -1)
    keys = [mechanics_keys.draw_secret(mechanics.campaign_id, number) for number in numbers]
    found = store.get_many(keys) if keys else {}
    return [DrawSecret.from_item(found[key]) for key in keys if key in found]


class Deciding(NamedTuple):
    """The secret that mechanics decide with from a save on, since when (ms) it is theirs, and what
    to write besides."""

    secret: str
    number: int
    since: int
    writes: list[Write]


def for_save(played: Played, spare: str, at: int) -> Deciding:
    """Of mechanics that are saved at a time (ms). `spare` is a new secret, for where one is
    needed."""
    before = played.mechanics
    if before is None:
        return Deciding(spare, played.campaign.secret_number + 1, at, [])
    until = over_since(played)
    if until is None:
        return Deciding(before.draw_secret, before.secret_number, before.secret_at, [])
    return Deciding(spare, before.secret_number + 1, at, [_kept(before, until)])


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
