"""The GrowSurf API's error body."""

from __future__ import annotations

from typing import Any

from grapevine.http.models.fields import Output


class ErrorDetail(Output):
    """One thing that is wrong, in both forms that clients read: `location`, `param`, `value`,
    `msg` and `field`, `code`, `message`."""

    location: str
    param: str
    value: Any
    msg: str
    field: str
    code: str
    message: str


class Error(Output):
    """`code` is stable, `message` is for people, `errors` says what to change."""

    name: str
    code: str
    message: str
    status: int
    support_url: str
    level: str = "error"
    timestamp: str
    errors: list[ErrorDetail] | None = None


class BlockedError(Error):
    """A sign-up that was refused as fraud; `matchedParticipantIds` is empty where a list of the
    campaign has decided."""

    fraud_risk_level: str
    fraud_reason_code: str
    matched_participant_ids: list[str]
    email: str
    referrer_id: str | None
    ip_address: str | None
    fingerprint: str | None
    blocked_at: str
