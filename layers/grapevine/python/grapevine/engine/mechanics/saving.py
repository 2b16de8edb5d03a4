"""Saving a campaign's mechanics: each save is a new version, and none is lost to another.

The limits of the prizes are written with it, each under the condition that no more has been given
than there will be; a tier that is taken out has none left. From then on they hold, for containers
as well that remember former ones. What lies hidden in time is written before: see `hiding.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grapevine import ids, runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.mechanics.campaign import Played, forget, played
from grapevine.engine.mechanics.configuration import Configuration, shown
from grapevine.engine.mechanics.draw_secrets import Deciding, for_save, hides_until
from grapevine.engine.mechanics.draws import new_secret
from grapevine.engine.mechanics.hiding import Lying, Plan, hidden_prize, look, plan
from grapevine.engine.mechanics.moments import Save
from grapevine.engine.mechanics.validating import problems
from grapevine.errors import InvalidRequest, VersionConflict
from grapevine.table import moments, store
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
        lying = look(before, configuration)
        if lying is None:
            continue
        _require_sound(before, configuration, lying.stocks)
        at = runtime.now_ms()
        deciding = for_save(before, new_one, at)
        own = Save(
            save_id=ids.save_id(),
            version=before.config_version + 1,
            secret_number=deciding.number,
        )
        planned = plan(
            configuration,
            before.mechanics,
            lying,
            own,
            campaign_id=campaign_id,
            secret=deciding.secret,
            at=at,
        )
        saved = _mechanics(
            before, configuration, deciding, hiding=planned.hiding, at=at, by=changed_by
        )
        prizes = [hidden_prize(campaign_id, moment) for moment in planned.moments]
        moments.put_all(prizes)
        try:
            store.transact(
                [
                    *_versions(before, saved, planned),
                    *deciding.writes,
                    *_limits(campaign_id, configuration, lying, planned),
                ]
            )
        except TransactionCanceled:
            moments.remove(prizes)
            continue
        moments.remove(planned.abandoned)
        forget(campaign)
        return played(campaign)
    raise AssertionError("attempts() ends by raising Busy")


def _mechanics(
    before: Played,
    configuration: Configuration,
    deciding: Deciding,
    *,
    hiding: dict[str, int],
    at: int,
    by: str,
) -> Mechanics:
    had_drawn = before.mechanics is not None and before.mechanics.has_drawn
    return Mechanics(
        campaign_id=before.campaign.campaign_id,
        version=before.config_version + 1,
        configuration=shown(configuration),
        draw_secret=deciding.secret,
        secret_number=deciding.number,
        secret_at=deciding.since,
        hides_until=hides_until(before.mechanics, configuration),
        has_drawn=had_drawn or configuration.instant_win is not None,
        hiding=hiding,
        changed_at=at,
        changed_by=by,
    )


def _versions(before: Played, saved: Mechanics, planned: Plan) -> list[Write]:
    kept = MechanicsVersion(
        campaign_id=saved.campaign_id,
        version=saved.version,
        configuration=saved.configuration,
        hidden=planned.counts,
        hidden_from=planned.span.start if planned.span else None,
        hidden_until=planned.span.end if planned.span else None,
        changed_at=saved.changed_at,
        changed_by=saved.changed_by,
    )
    unchanged = drawn_with(before.mechanics) if before.mechanics else ABSENT
    return [Put(saved.to_item(), unchanged), Put(kept.to_item(), ABSENT)]


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
    campaign_id: str, configuration: Configuration, lying: Lying, planned: Plan
) -> Iterator[Write]:
    """Of every tier that is configured, and of those that were until now."""
    left = dict(lying.stocks)
    for tier in configuration.tiers:
        stock = left.pop(tier.id, None)
        inventory = ENDLESS if tier.inventory is None else tier.inventory
        per_day = tier.per_day or ENDLESS
        if stock is None:
            new = Stock(
                campaign_id=campaign_id, tier_id=tier.id, inventory=inventory, per_day=per_day
            )
            yield Put(new.to_item(), ABSENT)
        elif planned.abandoned:
            yield changed_limits(stock, inventory, per_day, awarded_at_most=stock.awarded)
        elif (stock.inventory, stock.per_day) != (inventory, per_day):
            yield changed_limits(stock, inventory, per_day)
    for stock in left.values():
        if stock.inventory != stock.awarded:
            yield changed_limits(stock, stock.awarded, stock.per_day)
