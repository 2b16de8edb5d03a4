"""What one event's draw is checked with, for ever: its own secret, however many came since."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.draw_secrets import told_of
from grapevine.table import mechanics_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.ledger import PlayerEvent
from grapevine.table.mechanics import MechanicsVersion


@dataclass(frozen=True, slots=True)
class Proof:
    """`secret` is None before it may be known, and `hidden_by`, the version that hid the prize
    which was won by its moment, with it."""

    commitment: str | None = None
    secret: str | None = None
    hidden_by: MechanicsVersion | None = None


def proof_of(campaign: Campaign, event: PlayerEvent) -> Proof:
    """Nothing for an event that drew nothing. One to three reads."""
    if event.secret_number is None:
        return Proof()
    commitment, secret = told_of(played(campaign), event.secret_number)
    if secret is None or event.moment_version is None:
        return Proof(commitment, secret)
    item = store.get(mechanics_keys.mechanics_version(campaign.campaign_id, event.moment_version))
    if item is None:
        raise LookupError("versions of mechanics are kept")
    return Proof(commitment, secret, MechanicsVersion.from_item(item))
