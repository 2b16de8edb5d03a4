"""A campaign as its players meet it: what is configured, and whether it takes events now.

Both are remembered in the container for `CAMPAIGN_CACHE_MS`: a pause, or a new configuration,
reaches every event within that time. Nothing that is worth money rests on it: what may be given is
a condition of the transaction that gives it.

A campaign ends for events that come from then on. What was accepted before, and is under way, it
takes for `LATE_MS` more.
"""

from __future__ import annotations

from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.configuration import Configuration, parse
from grapevine.errors import CampaignNotActive
from grapevine.table import mechanics_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.ledger import Source
from grapevine.table.mechanics import Mechanics

LATE_MS = 4 * CAMPAIGN_CACHE_MS
"""How long after its end a campaign takes what was accepted before. It is over, with all that is
still tried again, before the secret of its draws is shown (`draw_secrets.SHOWN_AFTER_MS`)."""


def takes_late(campaign: Campaign, accepted_at: int) -> bool:
    """Whether a campaign that has ended still takes an event, accepted at that time (ms)."""
    if campaign.status != "COMPLETE" or campaign.ended_at is None:
        return False
    return accepted_at < campaign.ended_at and runtime.now_ms() < campaign.ended_at + LATE_MS


@dataclass(frozen=True, slots=True)
class Played:
    """`mechanics` is None where nothing was ever configured: such a campaign only records."""

    campaign: Campaign
    mechanics: Mechanics | None
    configuration: Configuration

    @property
    def config_version(self) -> int:
        return self.mechanics.version if self.mechanics else 0

    def require_open_to(self, source: Source, at: int, *, was_accepted: bool = False) -> None:
        """Raises CampaignNotActive unless it takes events that come this way, at that time (ms),
        at which they may have been accepted before."""
        if source not in self.configuration.sources:
            raise CampaignNotActive
        if was_accepted and takes_late(self.campaign, at):
            self._require_its_time(at)
        else:
            self.require_active(at)

    def require_active(self, at: int) -> None:
        """Raises CampaignNotActive unless it takes events at that time (ms)."""
        if not self.campaign.is_in_progress:
            raise CampaignNotActive
        self._require_its_time(at)

    def _require_its_time(self, at: int) -> None:
        if not self.configuration.takes_events_at(at):
            raise CampaignNotActive


def played(campaign: Campaign, *, may_be_remembered: bool = False) -> Played:
    """One read, unless the mechanics are remembered and may be."""
    place = _place(campaign)
    now = runtime.now_ms()
    kept: tuple[int, Played] | None = runtime.current().cache.get(place)
    if may_be_remembered and kept is not None and 0 <= now - kept[0] < CAMPAIGN_CACHE_MS:
        return Played(campaign, kept[1].mechanics, kept[1].configuration)
    item = store.get(mechanics_keys.mechanics(campaign.campaign_id))
    mechanics = Mechanics.from_item(item) if item else None
    found = Played(campaign, mechanics, parse(mechanics.configuration if mechanics else {}))
    runtime.current().cache[place] = (now, found)
    return found


def up_to_date(game: Played) -> Played:
    """The same, read again where a resumed campaign has a newer secret for its draws than what was
    remembered of its mechanics."""
    mechanics, campaign = game.mechanics, game.campaign
    if mechanics is None or mechanics.secret_number >= campaign.secret_number:
        return game
    return played(campaign)


def forget(campaign: Campaign) -> None:
    """This container reads the mechanics anew."""
    runtime.current().cache.pop(_place(campaign), None)


def _place(campaign: Campaign) -> str:
    return f"mechanics:{campaign.campaign_id}"
