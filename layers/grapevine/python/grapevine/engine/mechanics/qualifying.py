"""Whether an event earns a referrer the credit for the friend who caused it."""

from __future__ import annotations

from grapevine.engine.mechanics.conditions import all_hold
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.occurrences import Occurrence


def qualifies(configuration: Configuration, occurrence: Occurrence) -> bool:
    """Whether the event is of the kind that the configuration names, if it names one."""
    wanted = configuration.referral.qualifying_event
    return (
        wanted is not None
        and wanted.event_type == occurrence.event_type
        and occurrence.is_trusted(wanted.require_trust)
        and all_hold(wanted.when, occurrence.metadata)
    )
