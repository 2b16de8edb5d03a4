"""Why a participant has its fraud risk level, and an operator's word on it.

An override is one transaction: the profile, the report with its history, and, where the
participant's own referral is held back and it is found harmless, the referral with all that a
credit writes. Dying before it has changed nothing; the same request after it finds the level
set and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine import credit, referrals
from grapevine.engine.attempts import attempts
from grapevine.engine.credit import Ties
from grapevine.engine.fraud import reports
from grapevine.engine.participants.lookup import Located, Participant, load
from grapevine.engine.rewards.earning import offer_of
from grapevine.table import fraud_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.fraud import FraudReport, Level
from grapevine.table.participants import Profile
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, version

MANUAL = "MANUAL_UPDATE"


@dataclass(frozen=True, slots=True)
class Review:
    """What is known of a participant; `report` is None where no rule has found anything and nobody
    has decided. `is_held`: its referral waits for a decision."""

    profile: Profile
    report: FraudReport | None
    is_held: bool


def review(located: Located) -> Review:
    """Raises UnknownParticipant."""
    participant = located.load()
    ties = credit.ties_of(participant)
    return Review(participant.profile, _report_of(participant), _is_held(ties))


def override(campaign: Campaign, located: Located, level: Level, note: str | None) -> Review:
    """The participant after an operator has decided on its level.

    LOW releases a referral that is held back: it becomes what it would have become without. With
    MEDIUM and HIGH it stays held.

    Raises:
        UnknownParticipant
        Busy: nothing was written.
    """
    participant = located.load()
    for attempt in attempts():
        if attempt:
            participant = load(campaign.campaign_id, participant.participant_id)
        report, ties = _report_of(participant), credit.ties_of(participant)
        released = _released(campaign, ties) if level == "LOW" else []
        if not released and _says_the_same(participant.profile, report, level, note):
            return Review(participant.profile, report, _is_held(ties))
        profile, decided = _decided(participant.profile, report, level, note)
        writes: list[Write] = [
            Put(profile.to_item(), version(participant.profile.version)),
            Put(decided.to_item(), version(report.version) if report else ABSENT),
            *released,
        ]
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        return Review(profile, decided, _is_held(ties) and not released)
    raise AssertionError("attempts() ends by raising Busy")


def _report_of(participant: Participant) -> FraudReport | None:
    profile = participant.profile
    item = store.get(fraud_keys.fraud_report(profile.campaign_id, profile.participant_id))
    return FraudReport.from_item(item) if item else None


def _is_held(ties: Ties | None) -> bool:
    return ties is not None and ties.referral.held is not None


def _says_the_same(
    profile: Profile, report: FraudReport | None, level: Level, note: str | None
) -> bool:
    if report is None or not report.history or profile.fraud_reason_code != MANUAL:
        return False
    last = report.history[-1]
    return bool(profile.fraud_risk_level == level and last.get("note") == note)


def _decided(
    before: Profile, report: FraudReport | None, level: Level, note: str | None
) -> tuple[Profile, FraudReport]:
    """A word that leaves the level as it was is no change of it: nobody is told."""
    now = runtime.now_ms()
    profile, after = reports.changed(before, report, level, MANUAL, now, note=note, by="operator")
    if level == before.fraud_risk_level:
        profile = replace(profile, fraud_changed_at=before.fraud_changed_at)
    number = report.version + 1 if report else 0
    return replace(profile, version=before.version + 1), replace(after, version=number)


def _released(campaign: Campaign, ties: Ties | None) -> list[Write]:
    if ties is None or ties.referral.held is None:
        return []
    terms = referrals.terms_of(campaign).towards(ties.referrer.profile)
    after = referrals.released(ties.referral, terms, runtime.now_ms())
    return credit.writes_for_released(ties, after, offer_of(campaign), terms)
