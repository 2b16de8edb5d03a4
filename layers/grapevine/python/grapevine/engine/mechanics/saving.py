"""Saving a campaign's mechanics: each save is a new version, and none is lost to another.

The limits of the prizes are written with it, each under the condition that no more has been given
than there will be. From then on they hold, for containers as well that remember former ones. What
lies hidden in time is written before: see `hiding.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mechanics.campaign import Played, forget, played
from grapevine.engine.mechanics.configuration import Configuration, shown
from grapevine.engine.mechanics.draw_secrets import for_save, hides_until
from grapevine.engine.mechanics.draws import new_secret
from grapevine.engine.mechanics.hiding import hidden_before, hide
from grapevine.engine.mechanics.validating import problems
from grapevine.errors import InvalidRequest, VersionConflict
from grapevine.table import mechanics_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.mechanics import (
    ENDLESS,
    Mechanics,
    MechanicsVersion,
    Stock,
    changed_limits,
    drawn_with,
)
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write


def save(
    campaign: Campaign, configuration: Configuration, expected_version: int, changed_by: str
) -> Played:
    """The mechanics as they are from now on. `expected_version` is the configVersion that the
    sender has seen, 0 where there was none; `changed_by` the id of the key.

    Raises:
        InvalidRequest: with all that is wrong.
        VersionConflict: somebody else has saved since.
        Busy: nothing was written.
    """
    campaign_id, new_one = campaign.campaign_id, new_secret()
    for _ in attempts():
        before = played(campaign)
        if before.config_version != expected_version:
            raise VersionConflict(before.config_version)
        hidden = hidden_before(campaign_id, configuration)
        stocks = _stocks(campaign, configuration)
        _require_sound(before, configuration, stocks)
        at = runtime.now_ms()
        secret, number, since, kept = for_save(before, new_one, at)
        hide(campaign_id, configuration, secret=secret, saved_at=at, hidden=hidden, stocks=stocks)
        saved = Mechanics(
            campaign_id=campaign_id,
            version=before.config_version + 1,
            configuration=shown(configuration),
            draw_secret=secret,
            secret_number=number,
            secret_at=since,
            hides_until=hides_until(before.mechanics, configuration),
            changed_at=at,
            changed_by=changed_by,
        )
        writes = [
            *_versions(before, saved),
            *kept,
            *_limits(campaign, configuration, stocks),
        ]
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        forget(campaign)
        return played(campaign)
    raise AssertionError("attempts() ends by raising Busy")


def _versions(before: Played, saved: Mechanics) -> list[Write]:
    kept = MechanicsVersion(
        campaign_id=saved.campaign_id,
        version=saved.version,
        configuration=saved.configuration,
        changed_at=saved.changed_at,
        changed_by=saved.changed_by,
    )
    unchanged = drawn_with(before.mechanics) if before.mechanics else ABSENT
    return [Put(saved.to_item(), unchanged), Put(kept.to_item(), ABSENT)]


def _stocks(campaign: Campaign, configuration: Configuration) -> dict[str, Stock]:
    """Of the configured tiers that have one, by the tier's id."""
    tiers = configuration.instant_win.tiers if configuration.instant_win else ()
    found = store.get_many(mechanics_keys.stock(campaign.campaign_id, tier.id) for tier in tiers)
    stocks = [Stock.from_item(item) for item in found.values()]
    return {stock.tier_id: stock for stock in stocks}


def _require_sound(
    before: Played, configuration: Configuration, stocks: Mapping[str, Stock]
) -> None:
    found = problems(
        configuration,
        before.configuration if before.mechanics else None,
        has_players=before.campaign.started_at is not None,
        awarded={tier_id: stock.awarded for tier_id, stock in stocks.items()},
    )
    if found:
        raise InvalidRequest("Invalid mechanics configuration.", *found)


def _limits(
    campaign: Campaign, configuration: Configuration, stocks: Mapping[str, Stock]
) -> list[Write]:
    tiers = configuration.instant_win.tiers if configuration.instant_win else ()
    writes: list[Write] = []
    for tier in tiers:
        stock = stocks.get(tier.id)
        inventory = ENDLESS if tier.inventory is None else tier.inventory
        per_day = tier.per_day or ENDLESS
        if stock is None:
            new = Stock(
                campaign_id=campaign.campaign_id,
                tier_id=tier.id,
                inventory=inventory,
                per_day=per_day,
            )
            writes.append(Put(new.to_item(), ABSENT))
        elif (stock.inventory, stock.per_day) != (inventory, per_day):
            writes.append(changed_limits(stock, inventory, per_day))
    return writes
