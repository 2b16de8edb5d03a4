"""What Amazon SES does, on this machine: takes e-mails, fails on request, and tells what came of
each through the event destination and the rules of the template."""

from __future__ import annotations

import datetime
import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import parseaddr
from typing import Any

from local.declarations import EventRule, MailEvents
from local.names import Names

UNVERIFIED = "unverified.example"
"""The domain, with all below it, whose addresses may not send; every other one is verified."""

SIMULATOR = "simulator.amazonses.com"
"""Its addresses do what those of SES's mailbox simulator do: `bounce@`, `complaint@`, with a label
(`bounce+label@`) if need be."""

LOST_ANSWER = "LostAnswer"
"""A failure to ask for: the e-mail is accepted, and the answer never arrives."""

FAILURES: Mapping[str, tuple[int, str]] = {
    "TooManyRequestsException": (429, "Maximum sending rate exceeded."),
    "LimitExceededException": (400, "Daily message quota exceeded."),
    "MessageRejected": (400, "The message was rejected."),
    "AccountSuspendedException": (400, "The account is suspended."),
    "SendingPausedException": (400, "Sending is paused."),
    "MailFromDomainNotVerifiedException": (400, "The MAIL FROM domain is not verified."),
    "BadRequestException": (400, "The request is not valid."),
    "AccessDeniedException": (403, "Not authorized."),
    "InternalServiceErrorException": (500, "Something failed."),
}
"""Other failures to ask for, as SES answers them: status and message."""


class BadFailure(ValueError):
    """A failure that cannot be asked for; the message says why."""


class Failed(Exception):
    """SES refuses: a status, a code and a message."""

    def __init__(self, code: str) -> None:
        self.status, self.message = FAILURES[code]
        self.code = code
        super().__init__(code)


class AnswerLost(Exception):
    """The e-mail is accepted, and whoever sent it does not learn of it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An e-mail as it was sent; `accepted_at` in ms."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    configuration_set: str | None
    tags: Mapping[str, str]
    source: bytes
    accepted_at: int

    def described(self) -> dict[str, Any]:
        parsed = message_from_bytes(self.source, policy=policy.SMTP)
        return {
            "messageId": self.message_id,
            "from": self.sender,
            "to": list(self.recipients),
            "subject": str(parsed["subject"]),
            "configurationSet": self.configuration_set,
            "tags": dict(self.tags),
            "acceptedAt": self.accepted_at,
            "source": self.source.decode("utf-8", "replace"),
        }


class MailService:
    """The mail of one stack. Every method is safe to call from any thread."""

    def __init__(
        self,
        events: tuple[MailEvents, ...],
        rules: tuple[EventRule, ...],
        names: Names,
        now_ms: Callable[[], int],
        send_to_queue: Callable[[str, str], object],
    ) -> None:
        self._events = events
        self._rules = rules
        self._names = names
        self._now_ms = now_ms
        self._send_to_queue = send_to_queue
        self._accepted: list[Accepted] = []
        self._failures: deque[str] = deque()
        self._lock = threading.Lock()

    def is_verified(self, identity: str) -> bool:
        address = parseaddr(identity)[1] if "@" in identity else identity
        domain = address.rpartition("@")[2].lower()
        return domain != UNVERIFIED and not domain.endswith(f".{UNVERIFIED}")

    def accept(
        self,
        sender: str,
        recipients: tuple[str, ...],
        configuration_set: str | None,
        tags: Mapping[str, str],
        source: bytes,
    ) -> str:
        """The id of the accepted e-mail.

        Raises:
            Failed
            AnswerLost
        """
        with self._lock:
            failure = self._failures.popleft() if self._failures else None
        if failure is not None and failure != LOST_ANSWER:
            raise Failed(failure)
        if not self.is_verified(sender):
            raise Failed("MessageRejected")
        accepted = Accepted(
            f"0100{uuid.uuid4().hex}-000000",
            sender,
            recipients,
            configuration_set,
            tags,
            source,
            self._now_ms(),
        )
        with self._lock:
            self._accepted.append(accepted)
        for name, particulars in _outcomes(recipients):
            self._tell(accepted, name, particulars)
        if failure == LOST_ANSWER:
            raise AnswerLost
        return accepted.message_id

    def sent(self, recipient: str | None = None) -> list[Accepted]:
        """What was accepted, oldest first; with a `recipient` only what went there."""
        with self._lock:
            return [one for one in self._accepted if recipient in (None, *one.recipients)]

    def fail(self, failure: str, times: int = 1) -> None:
        """The next `times` e-mails fail like that: a name of FAILURES, or LOST_ANSWER.

        Raises:
            BadFailure
        """
        if failure not in {*FAILURES, LOST_ANSWER} or not 1 <= times <= 10_000:
            known = ", ".join([*FAILURES, LOST_ANSWER])
            raise BadFailure(f"failure is one of {known}; times is from 1 to 10000")
        with self._lock:
            self._failures.extend([failure] * times)

    def empty(self) -> None:
        """Forget what was accepted and what was to fail."""
        with self._lock:
            self._accepted.clear()
            self._failures.clear()

    def tell(self, accepted: Accepted, name: str, particulars: Mapping[str, Any]) -> None:
        """What becomes of an e-mail later on, as SES tells it (`Bounce` with a `bounceType`)."""
        self._tell(accepted, name, particulars)

    def _tell(self, accepted: Accepted, name: str, particulars: Mapping[str, Any]) -> None:
        wanted = any(
            each.configuration_set == accepted.configuration_set and name in each.event_types
            for each in self._events
        )
        if not wanted:
            return
        event = self._event(accepted, name, particulars)
        for rule in self._rules:
            if rule.pattern(event):
                for arn in rule.target_arns:
                    self._send_to_queue(arn, json.dumps(event))

    def _event(
        self, accepted: Accepted, name: str, particulars: Mapping[str, Any]
    ) -> dict[str, Any]:
        moment = datetime.datetime.fromtimestamp(self._now_ms() / 1000, datetime.UTC)
        time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        tags = {
            "ses:configuration-set": [accepted.configuration_set],
            **{tag: [value] for tag, value in accepted.tags.items()},
        }
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": _DETAIL_TYPES[name],
            "source": "aws.ses",
            "account": self._names.account_id,
            "time": time,
            "region": "us-east-1",
            "resources": [
                self._names.arn("ses", f"configuration-set/{accepted.configuration_set}")
            ],
            "detail": {
                "eventType": name,
                "mail": {
                    "timestamp": time,
                    "source": accepted.sender,
                    "messageId": accepted.message_id,
                    "destination": list(accepted.recipients),
                    "tags": tags,
                },
                name.lower(): {"timestamp": time, **particulars},
            },
        }


_DETAIL_TYPES = {
    "Send": "Email Sent",
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
    "Reject": "Email Rejected",
}


def _outcomes(recipients: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "Send", {}
    for recipient in recipients:
        local_part, _, domain = recipient.lower().partition("@")
        simulated = local_part.partition("+")[0] if domain == SIMULATOR else ""
        if simulated == "bounce":
            yield "Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}
            continue
        yield "Delivery", {"recipients": [recipient]}
        if simulated == "complaint":
            yield "Complaint", {"complaintFeedbackType": "abuse"}
