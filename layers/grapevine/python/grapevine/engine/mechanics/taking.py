"""What follows from an item that the stream has handed out: done by whoever takes the message.

Safe to repeat, and in any order: each consequence is known by the item that it follows from.
"""

from __future__ import annotations

from collections.abc import Callable

from grapevine.engine import messages
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.listening import listening
from grapevine.engine.mechanics.recording import Answer, Incoming, record
from grapevine.engine.messages import UnknownItem
from grapevine.errors import CampaignNotActive, PlayLimitReached, UnknownEventType
from grapevine.log import log_defect
from grapevine.table import store
from grapevine.table.inbox import InboxEvent


def taker(answer: Answer) -> Callable[[str], None]:
    """What takes a message. `answer` makes the body that a natural key's receipt keeps: the one
    that the event is answered with where it comes again by an API that answers.

    Raises:
        Busy: what had been done by then is not done twice.
        UnknownItem
    """

    def take(message: str) -> None:
        item = store.get(messages.key_in(message))
        if item is None:
            return
        match item["type"]:
            case InboxEvent.TYPE:
                _record_everywhere(InboxEvent.from_item(item), answer)
            case unknown:
                raise UnknownItem(unknown)

    return take


def _record_everywhere(event: InboxEvent, answer: Answer) -> None:
    """In every campaign that takes it. None waits for another: when all have been gone through, the
    first failure is raised."""
    incoming = Incoming(
        user_id=event.user_id,
        event_type=event.event_type,
        metadata=event.metadata,
        trust=event.trust,
        source="referd",
        origin=event.inbox_id,
        at=event.at,
        display_name=event.display_name,
    )
    failures: list[Exception] = []
    for played in listening(event.account_id, "referd"):
        try:
            _record(played, incoming, answer)
        except Exception as failure:  # noqa: BLE001 - other campaigns must not wait for this one
            failures.append(failure)
    for further in failures[1:]:
        log_defect(further)
    if failures:
        raise failures[0]


def _record(played: Played, incoming: Incoming, answer: Answer) -> None:
    """What the campaign refuses is passed over: there is nobody to be told."""
    try:
        record(played, incoming, answer)
    except (CampaignNotActive, PlayLimitReached, UnknownEventType):
        return
