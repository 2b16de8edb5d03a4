"""A campaign as its players meet it: what is configured, and whether it takes events now.

Both are remembered in the container for `CAMPAIGN_CACHE_MS`: a pause, or a new configuration,
reaches every event within that time. Nothing that is worth money rests on it: what may be given is
a condition of the transaction that gives it.
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


@dataclass(frozen=True, slots=True)
class Played:
    """`mechanics` is None where nothing was ever configured: such a campaign only records."""

    campaign: Campaign
    mechanics: Mechanics | None
    configuration: Configuration

    @property
    def config_version(self) -> int:
        return self.mechanics.version if self.mechanics else 0

    def require_open_to(self, source: Source, at: int) -> None:
        """Raises CampaignNotActive unless it takes events that come this way, at that time (ms)."""
        if source not in self.configuration.sources:
            raise CampaignNotActive
        self.require_active(at)

    def require_active(self, at: int) -> None:
        """Raises CampaignNotActive unless it takes events at that time (ms)."""
        if not self.campaign.is_in_progress or not self.configuration.takes_events_at(at):
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
