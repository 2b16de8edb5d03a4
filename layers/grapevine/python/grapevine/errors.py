"""Everything that Grapevine refuses, as one tree. Each API dialect maps it to its own bodies.

GrapevineError
├── SettingMissing            the template did not give the function a variable (a defect: 500)
├── RequestRefused            the caller must change something; nothing was written
│   ├── InvalidRequest        a field, parameter or state is wrong; `problems` says which
│   │   ├── UnknownParticipant
│   │   └── UnknownEventType  no rule speaks of it, and the campaign takes only events it knows
│   ├── NotAuthorized         a key without the scope, a public one, a foreign campaign
│   │   ├── KeyMissing
│   │   ├── KeyUnknown
│   │   └── KeyRevoked        it has been revoked, or rotated and its grace is over
│   ├── NotFound              an unknown campaign, reward or route
│   │   └── CampaignNotActive an event for a campaign that is unknown or takes none now
│   ├── CodeNotRedeemable     it has been redeemed or revoked, or has expired
│   ├── PlayLimitReached      the player has drawn as often as the campaign allows
│   ├── VersionConflict       somebody else has saved since the caller looked
│   ├── KeyReused             an idempotency key came again with another request
│   ├── InvalidRewardState    the reward is approved, fulfilled, or neither yet
│   ├── LimitReached          there is no room for any of it until a time that it names
│   ├── ParticipantBlocked    a sign-up that is very likely a fraud, in a campaign that is strict
│   ├── UnsupportedProgram    the call does not exist for this campaign's type
│   ├── PayloadTooLarge
│   └── UnsupportedMediaType
└── Busy                      others kept changing the same items; nothing was written, try again
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Location = Literal["body", "query", "path", "header"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request: where it is, what came, and what to do about it."""

    location: Location
    field: str
    code: str
    message: str
    value: Any = None


class GrapevineError(Exception):
    """The root of the tree above."""


class SettingMissing(GrapevineError):
    def __init__(self, name: str) -> None:
        super().__init__(f"environment variable {name} is not set for this function")


class RequestRefused(GrapevineError):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(RequestRefused):
    """`problems` may be empty when the message says it all."""

    def __init__(self, message: str, *problems: Problem) -> None:
        super().__init__(message)
        self.problems = problems


class UnknownParticipant(InvalidRequest):
    def __init__(self) -> None:
        super().__init__("No participant with this id or email exists in the campaign.")


class UnknownEventType(InvalidRequest):
    def __init__(self, event_type: str) -> None:
        problem = Problem("body", "eventType", "unknown_event_type", "is not known", event_type)
        super().__init__("The campaign does not know this event type.", problem)


class NotAuthorized(RequestRefused):
    """Without a message of its own it does not tell which of these it is."""

    def __init__(
        self,
        message: str = (
            "The API key is missing, invalid, revoked, or has no access to this resource."
        ),
    ) -> None:
        super().__init__(message)


class KeyMissing(NotAuthorized):
    pass


class KeyUnknown(NotAuthorized):
    pass


class KeyRevoked(NotAuthorized):
    pass


class NotFound(RequestRefused):
    pass


class CampaignNotActive(NotFound):
    def __init__(self) -> None:
        super().__init__("Campaign not found or not active")


class CodeNotRedeemable(RequestRefused):
    def __init__(self, status: str) -> None:
        super().__init__(f"Code status is {status}")


class PlayLimitReached(RequestRefused):
    def __init__(self) -> None:
        super().__init__("User has exceeded maximum plays")


class AlreadyLinked(RequestRefused):
    def __init__(self) -> None:
        super().__init__("The player or the participant is linked to another one")


class VersionConflict(RequestRefused):
    def __init__(self, current: int) -> None:
        super().__init__(f"The configuration is at version {current} by now. Read it again.")


class KeyReused(RequestRefused):
    def __init__(self) -> None:
        super().__init__("Idempotency-Key was already used with a different request")


class InvalidRewardState(RequestRefused):
    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid reward state. {reason}")


class LimitReached(RequestRefused):
    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Why a sign-up was refused. `matched_participant_ids` are those by whom it was recognised; in
    GDPR mode `ip_address` and `fingerprint` are None. `blocked_at` in ms."""

    fraud_risk_level: str
    fraud_reason_code: str
    matched_participant_ids: tuple[str, ...]
    email: str
    referrer_id: str | None
    ip_address: str | None
    fingerprint: str | None
    blocked_at: int


class ParticipantBlocked(RequestRefused):
    def __init__(self, block: Block) -> None:
        super().__init__("The participant was blocked: the risk of fraud is high.")
        self.block = block


class UnsupportedProgram(RequestRefused):
    pass


class PayloadTooLarge(RequestRefused):
    pass


class UnsupportedMediaType(RequestRefused):
    pass


class Busy(GrapevineError):
    """Raised when a transaction kept losing to others until the deadline. Nothing was written."""

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__("The same data is being changed by other requests. Try again.")
        self.retry_after_seconds = retry_after_seconds
