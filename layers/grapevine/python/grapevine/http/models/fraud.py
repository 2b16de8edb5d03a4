"""Why a participant has its fraud risk level, as our own endpoints show and change it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from grapevine.engine.fraud.reviewing import Review
from grapevine.http.models.fields import Input, Output
from grapevine.table.fraud import Level


class UpdateFraud(Input):
    """LOW also releases a referral that is held back. `note` says why; it is shown here only."""

    fraud_risk_level: Level
    note: Annotated[str | None, Field(max_length=500)] = None


class FraudFinding(Output):
    """What a rule found. The first one decided."""

    rule: str
    fraud_risk_level: Level
    fraud_reason_code: str
    message: str
    matched_participant_ids: list[str]
    evidence: dict[str, Any]

    @classmethod
    def of(cls, stored: dict[str, Any]) -> FraudFinding:
        return cls.model_construct(
            rule=stored["rule"],
            fraud_risk_level=stored["level"],
            fraud_reason_code=stored["code"],
            message=stored["message"],
            matched_participant_ids=stored["matched"],
            evidence=stored["values"],
        )


class FraudChange(Output):
    """`source`: who changed the level, an operator or a later screening."""

    at: Annotated[int, Field(description="Milliseconds since 1970")]
    previous_fraud_risk_level: Level
    fraud_risk_level: Level
    fraud_reason_code: str
    source: str
    note: str | None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> FraudChange:
        return cls.model_construct(
            at=stored["at"],
            previous_fraud_risk_level=stored["from"],
            fraud_risk_level=stored["to"],
            fraud_reason_code=stored["code"],
            source=stored["by"],
            note=stored.get("note"),
        )


class Fraud(Output):
    """`findings` are of the screening, the weightiest first; `history` has the changes since,
    oldest first. `isHeld`: the participant's referral waits for a decision."""

    id: str
    fraud_risk_level: Level
    fraud_reason_code: str
    is_held: bool
    screened_at: Annotated[int | None, Field(description="Milliseconds since 1970")]
    findings: list[FraudFinding]
    history: list[FraudChange]

    @classmethod
    def of(cls, review: Review) -> Fraud:
        profile, report = review.profile, review.report
        return cls.model_construct(
            id=profile.participant_id,
            fraud_risk_level=profile.fraud_risk_level,
            fraud_reason_code=profile.fraud_reason_code,
            is_held=review.is_held,
            screened_at=report.screened_at if report else None,
            findings=[FraudFinding.of(each) for each in report.findings] if report else [],
            history=[FraudChange.of(each) for each in report.history] if report else [],
        )
