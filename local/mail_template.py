"""What a template declares of e-mail events: which ones SES tells, and the rules that take them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from local.declarations import EventRule, MailEvents
from local.patterns import Filters

Resources = Iterable[tuple[str, dict[str, Any]]]

_EVENT_TYPES = {
    "BOUNCE": "Bounce",
    "COMPLAINT": "Complaint",
    "DELIVERY": "Delivery",
    "REJECT": "Reject",
    "SEND": "Send",
}


class UnknownEventType(ValueError):
    """An event type that the stand-in for SES never tells."""


def mail_events(destinations: Resources) -> Iterator[MailEvents]:
    """Of event destinations that lead to the event bus.

    Raises:
        UnknownEventType
    """
    for logical_id, properties in destinations:
        destination = properties["EventDestination"]
        names = [each.upper() for each in destination["MatchingEventTypes"]]
        if unknown := set(names) - _EVENT_TYPES.keys():
            raise UnknownEventType(f"{logical_id} asks for {', '.join(sorted(unknown))}")
        if destination.get("Enabled") and "EventBridgeDestination" in destination:
            yield MailEvents(
                properties["ConfigurationSetName"],
                frozenset(_EVENT_TYPES[name] for name in names),
            )


def event_rules(rules: Resources) -> Iterator[EventRule]:
    """Of rules that wait for events; those with a schedule are none."""
    for logical_id, properties in rules:
        if "EventPattern" in properties:
            yield EventRule(
                logical_id,
                Filters([json.dumps(properties["EventPattern"])]),
                tuple(target["Arn"] for target in properties["Targets"]),
            )
