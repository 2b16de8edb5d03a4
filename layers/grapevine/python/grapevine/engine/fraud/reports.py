"""Why a participant has its fraud risk level: the report of a screening, and each change after."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from grapevine.engine.fraud.evidence import Finding
from grapevine.engine.fraud.verdict import Verdict
from grapevine.table.fraud import FraudReport, Level
from grapevine.table.participants import Profile

BY_HAND = "MANUAL_UPDATE"
"""The reason of a level that an operator has decided on (growsurf)."""

MOST_CHANGES = 100
"""How many changes the history keeps, the newest ones."""


def report_for(profile: Profile, verdict: Verdict, at: int) -> FraudReport:
    """The report of a first screening."""
    return FraudReport(
        campaign_id=profile.campaign_id,
        participant_id=profile.participant_id,
        screened_at=at,
        findings=tuple(_told(finding) for finding in verdict.findings),
    )


def _told(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": finding.level,
        "code": finding.code,
        "message": finding.message,
        "matched": list(finding.matched),
        "values": dict(finding.values),
    }


def changed(
    profile: Profile,
    report: FraudReport | None,
    level: Level,
    code: str,
    at: int,
    *,
    note: str | None,
    by: str,
) -> tuple[Profile, FraudReport]:
    """The profile and its report after a change of the level; the caller counts versions."""
    changed_at = max(at, (profile.fraud_changed_at or 0) + 1, profile.created_at + 1)
    after = replace(
        profile, fraud_risk_level=level, fraud_reason_code=code, fraud_changed_at=changed_at
    )
    kept = report or FraudReport(
        campaign_id=profile.campaign_id, participant_id=profile.participant_id, screened_at=at
    )
    change: dict[str, Any] = {
        "at": changed_at,
        "from": profile.fraud_risk_level,
        "to": level,
        "code": code,
        "by": by,
        "note": note,
    }
    history = (*kept.history, change)[-MOST_CHANGES:]
    return after, replace(kept, history=history, changed_at=changed_at)
