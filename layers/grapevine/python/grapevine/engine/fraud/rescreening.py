"""Looking at a participant again: it gets a referrer after the sign-up, or another e-mail address.

The rules are those of a sign-up, but for how fast others joined. What they say raises the level and
never lowers it, and an operator's word stays. Two calls more than the change itself takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from grapevine import runtime
from grapevine.engine.fraud import reports, screening
from grapevine.engine.fraud.verdict import Verdict, rank
from grapevine.engine.parallel import in_parallel
from grapevine.table import store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.fraud import FraudReport
from grapevine.table.keys import Key
from grapevine.table.participants import Profile
from grapevine.table.referrals import newest_of
from grapevine.table.writes import ABSENT, Put, Write, version


@dataclass(frozen=True, slots=True)
class Rescreened:
    """The participant and its referrer as they are after it, and what is to be written of it beside
    the participant's own profile."""

    profile: Profile
    referrer: Profile | None
    writes: list[Write]


def rescreened(
    campaign: Campaign, before: Profile, after: Profile, referrer: Profile | None
) -> Rescreened:
    """`after` is the participant with the change, of the version that was read.

    Raises:
        ParticipantBlocked: the campaign is strict, and the change would bring in somebody of HIGH
            risk.
    """
    now = runtime.now_ms()
    looked_at = screening.without_signals(campaign, after)
    found, friends = _read(campaign, before, looked_at, referrer)
    screened = screening.screened(
        campaign,
        looked_at,
        referrer=referrer,
        siblings=[each for each in friends if each.referred_id != after.participant_id],
        found=found,
        ip_address=looked_at.ip_address,
        is_signup=False,
    )
    writes = screening.seen_anew(campaign, before, looked_at, screened, found, now)
    if before.fraud_reason_code == reports.BY_HAND:
        return Rescreened(after, referrer, writes)
    if before.fraud_risk_level != "HIGH" or after.referrer_id != before.referrer_id:
        screening.refuse_if_strict(campaign, screened, looked_at, now)
    item = found.get(screening.report_key(after))
    report = FraudReport.from_item(item) if item else None
    profile, changed = _changed(after, report, screened.verdict, now, _note(before, after))
    if changed:
        number = report.version + 1 if report else 0
        condition = version(report.version) if report else ABSENT
        writes.append(Put(replace(changed, version=number).to_item(), condition))
    if referrer and screened.catches(referrer):
        known = found.get(screening.report_key(referrer))
        caught = screening.caught_writes(referrer, screened, now, known)
        writes += caught
        referrer = Profile.from_item(caught[0].item)
    return Rescreened(profile, referrer, writes)


def _read(
    campaign: Campaign, before: Profile, after: Profile, referrer: Profile | None
) -> tuple[dict[Key, Item], list[Any]]:
    wanted = {
        *screening.keys_to_read(campaign, after),
        *screening.trait_keys(campaign, before),
        *(screening.report_key(one) for one in (after, referrer) if one),
    }
    calls: list[Callable[[], Any]] = [partial(store.get_many, wanted)]
    if referrer:
        most = screening.MOST_SIBLINGS
        calls.append(partial(newest_of, campaign.campaign_id, referrer.participant_id, most))
    # The results have different types, which a list of calls cannot say.
    found, *listed = in_parallel(calls)
    return found, listed[0] if listed else []


def _note(before: Profile, after: Profile) -> str:
    if after.referrer_id != before.referrer_id:
        return "Found when the referrer was set."
    return "Found when the email address changed."


def _changed(
    profile: Profile, report: FraudReport | None, verdict: Verdict, now: int, note: str
) -> tuple[Profile, FraudReport | None]:
    """The report is None where nothing changes: the rules say no more than is known."""
    is_higher = rank(verdict.level) > rank(profile.fraud_risk_level)
    says_first = bool(verdict.findings) and profile.fraud_reason_code == "UNIQUE_IDENTITY"
    if not is_higher and not says_first:
        return profile, None
    after, changed = reports.changed(
        profile, report, verdict.level, verdict.code, now, note=note, by="engine"
    )
    if not is_higher:
        # Another reason for the level that it has is no change of it: nobody is told.
        after = replace(after, fraud_changed_at=profile.fraud_changed_at)
    findings = reports.report_for(profile, verdict, now).findings
    return after, replace(changed, findings=findings, screened_at=now)
