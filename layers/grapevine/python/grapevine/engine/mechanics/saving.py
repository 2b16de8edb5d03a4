"""Saving a campaign's mechanics: each save is a new version, and none is lost to another.

The inventories of the prizes are written with it, each under the condition that no more has been
given than there will be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mechanics.campaign import Played, forget, played
from grapevine.engine.mechanics.configuration import Configuration, parse, shown
from grapevine.engine.mechanics.draws import new_secret
from grapevine.engine.mechanics.validating import validate
from grapevine.errors import InvalidRequest, Problem, VersionConflict
from grapevine.table import mechanics_keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key
from grapevine.table.mechanics import Mechanics, MechanicsVersion, Stock, raised_inventory
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, version


def save(
    campaign: Campaign, sent: Mapping[str, Any], expected_version: int, changed_by: str
) -> Played:
    """The mechanics as they are from now on. `expected_version` is the configVersion that the
    sender has seen, 0 where there was none; `changed_by` the id of the key.

    Raises:
        InvalidRequest: with all that is wrong.
        VersionConflict: somebody else has saved since.
        Busy: nothing was written.
    """
    configuration = parse(sent)
    for _ in attempts():
        before = played(campaign)
        if before.config_version != expected_version:
            raise VersionConflict(before.config_version)
        validate(configuration, before.configuration, is_started=campaign.started_at is not None)
        stocks = _stocks(campaign, configuration)
        writes = [
            *_versions(before, configuration, changed_by),
            *_inventories(campaign, configuration, stocks),
        ]
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        forget(campaign)
        return played(campaign)
    raise AssertionError("attempts() ends by raising Busy")


def _versions(before: Played, configuration: Configuration, changed_by: str) -> list[Write]:
    old, campaign_id = before.mechanics, before.campaign.campaign_id
    saved = Mechanics(
        campaign_id=campaign_id,
        version=before.config_version + 1,
        configuration=shown(configuration),
        draw_secret=old.draw_secret if old else new_secret(),
        changed_at=runtime.now_ms(),
        changed_by=changed_by,
    )
    kept = MechanicsVersion(
        campaign_id=campaign_id,
        version=saved.version,
        configuration=saved.configuration,
        changed_at=saved.changed_at,
        changed_by=changed_by,
    )
    unchanged = version(old.version) if old else ABSENT
    return [Put(saved.to_item(), unchanged), Put(kept.to_item(), ABSENT)]


def _stocks(campaign: Campaign, configuration: Configuration) -> dict[Key, Item]:
    tiers = configuration.instant_win.tiers if configuration.instant_win else ()
    return store.get_many(mechanics_keys.stock(campaign.campaign_id, tier.id) for tier in tiers)


def _inventories(
    campaign: Campaign, configuration: Configuration, stocks: Mapping[Key, Item]
) -> list[Write]:
    """Raises InvalidRequest for a prize that has been given more often than it may be from now
    on."""
    writes: list[Write] = []
    problems: list[Problem] = []
    tiers = configuration.instant_win.tiers if configuration.instant_win else ()
    for place, tier in enumerate(tiers):
        if tier.inventory is None:
            continue
        new = Stock(campaign_id=campaign.campaign_id, tier_id=tier.id, inventory=tier.inventory)
        if new.key not in stocks:
            writes.append(Put(new.to_item(), ABSENT))
            continue
        stock = Stock.from_item(stocks[new.key])
        if stock.awarded > tier.inventory:
            problems.append(
                Problem(
                    "body",
                    f"instantWin.tiers.{place}.inventory",
                    "below_awarded",
                    f"{stock.awarded} have been won already.",
                    tier.inventory,
                )
            )
        elif stock.inventory != tier.inventory:
            writes.append(raised_inventory(stock, tier.inventory))
    if problems:
        raise InvalidRequest("Invalid mechanics configuration.", *problems)
    return writes
