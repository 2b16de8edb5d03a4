"""Rules about where somebody comes from: addresses and devices that are shared, how many come at
once, and who brought them."""

from __future__ import annotations

from grapevine.engine.fraud.evidence import MOST_MATCHED, Code, Evidence, Finding, Recommender
from grapevine.engine.fraud.patterns import identity_of
from grapevine.months import DAY_MS
from grapevine.table.fraud import Kind, Level, Sighting

MINUTE_MS = 60_000
IP_LOOKBACK_MS = DAY_MS
"""Addresses are given to others: who joined with one longer before or after says nothing."""

DEVICE_EXCESSIVE = 3
IP_SIBLINGS, IP_SIBLINGS_EXCESSIVE = 2, 5
IP_OTHERS, IP_OTHERS_EXCESSIVE = 5, 20
FAST_FRIENDS, FAST_FRIENDS_MS = 10, 10 * MINUTE_MS


def allow_list(evidence: Evidence) -> Finding | None:
    """Whoever is on it is LOW, whatever else is found."""
    entry = evidence.lists.allowed_emails.match(evidence.who.email)
    if entry is not None:
        return Finding(
            rule="allow_list",
            level="LOW",
            code="WHITELISTED",
            message="The email address is on the campaign's allow list.",
            values={"entry": entry},
        )
    entry = evidence.lists.allowed_ips.match(evidence.listed_ip) if evidence.listed_ip else None
    if entry is None:
        return None
    return Finding(
        rule="allow_list",
        level="LOW",
        code="WHITELISTED",
        message="The IP address is on the campaign's allow list.",
        values=_entry(evidence, entry),
    )


def blocked_email(evidence: Evidence) -> Finding | None:
    entry = evidence.lists.blocked_emails.match_mailbox(evidence.who.email)
    if entry is None:
        return None
    return Finding(
        rule="blocked_email",
        level="HIGH",
        code="BLACKLIST_MATCH",
        message="The email address is on the campaign's block list.",
        values={"entry": entry},
    )


def blocked_ip(evidence: Evidence) -> Finding | None:
    entry = evidence.lists.blocked_ips.match(evidence.listed_ip) if evidence.listed_ip else None
    if entry is None:
        return None
    return Finding(
        rule="blocked_ip",
        level="HIGH",
        code="BLOCKED_IP",
        message="The IP address is on the campaign's block list.",
        values=_entry(evidence, entry),
    )


def _entry(evidence: Evidence, entry: str) -> dict[str, str | int]:
    """The entry that matched, unless the address is not to be written down in any form."""
    return {"entry": entry} if evidence.who.ip_address is not None else {}


def referrer_high_risk(evidence: Evidence) -> Finding | None:
    referrer = evidence.referrer
    if not evidence.policy.block_high_risk_referrers or referrer is None:
        return None
    if referrer.level != "HIGH":
        return None
    return Finding(
        rule="referrer_high_risk",
        level="HIGH",
        code="REFERRER_HIGH_RISK",
        message="The referrer's own fraud risk level is HIGH.",
        matched=(referrer.participant_id,),
    )


def identity_of_referrer(evidence: Evidence) -> Finding | None:
    """A device of the referrer is the referrer; an address may be a household."""
    who, referrer = evidence.who, evidence.referrer
    if referrer is None:
        return None
    pairs = (
        ("device", who.fingerprint, referrer.fingerprint),
        ("app installation", who.mobile_instance_id, referrer.mobile_instance_id),
    )
    for what, own, other in pairs:
        if own and own == other:
            return _shared_with_referrer(referrer, what, "HIGH")
    if _same_ip(who.ip_address, referrer.ip_address):
        return _shared_with_referrer(referrer, "IP address", "MEDIUM")
    return None


def _same_ip(own: str | None, other: str | None) -> bool:
    if not own or not other:
        return False
    identity = identity_of(own)
    return identity is not None and identity == identity_of(other)


def _shared_with_referrer(referrer: Recommender, what: str, level: Level) -> Finding:
    return Finding(
        rule="identity_of_referrer",
        level=level,
        code="DUPLICATE_IDENTITY",
        message=f"The {what} is the referrer's.",
        matched=(referrer.participant_id,),
        values={"shared": what},
        catches_referrer=level == "HIGH",
    )


def device_of_others(evidence: Evidence) -> Finding | None:
    return _had_by_others(evidence, "fingerprint", "device")


def installation_of_others(evidence: Evidence) -> Finding | None:
    """A rule of its own: what is found of the device must not hide what is found of the app."""
    return _had_by_others(evidence, "instance", "app installation")


def _had_by_others(evidence: Evidence, kind: Kind, what: str) -> Finding | None:
    others = _without_referrer(evidence, evidence.others(kind))
    if not others:
        return None
    excessive = len(others) >= DEVICE_EXCESSIVE
    return _shared(
        "device_of_others",
        what,
        "HIGH" if excessive else "MEDIUM",
        others,
        threshold=DEVICE_EXCESSIVE if excessive else 1,
        excessive=excessive,
        catches=len(_siblings(evidence, others)) >= DEVICE_EXCESSIVE,
    )


def ip_of_others(evidence: Evidence) -> Finding | None:
    """Friends of one referrer weigh more than anybody: an office or a carrier has one address."""
    seen = evidence.others("ip")
    recent = tuple(each for each in seen if abs(each.at - evidence.at) < IP_LOOKBACK_MS)
    others = _without_referrer(evidence, recent)
    siblings = _siblings(evidence, others)
    rule, what = "ip_of_others", "IP address"
    if len(siblings) >= IP_SIBLINGS_EXCESSIVE:
        return _shared(
            rule,
            what,
            "HIGH",
            siblings,
            threshold=IP_SIBLINGS_EXCESSIVE,
            excessive=True,
            catches=True,
        )
    if len(others) >= IP_OTHERS_EXCESSIVE:
        return _shared(rule, what, "MEDIUM", others, threshold=IP_OTHERS_EXCESSIVE, excessive=True)
    if len(siblings) >= IP_SIBLINGS:
        return _shared(rule, what, "MEDIUM", siblings, threshold=IP_SIBLINGS)
    if len(others) >= IP_OTHERS:
        return _shared(rule, what, "MEDIUM", others, threshold=IP_OTHERS)
    return None


def _without_referrer(evidence: Evidence, seen: tuple[Sighting, ...]) -> list[Sighting]:
    referrer_id = evidence.referrer.participant_id if evidence.referrer else None
    return [each for each in seen if each.participant_id != referrer_id]


def _siblings(evidence: Evidence, seen: list[Sighting]) -> list[Sighting]:
    if evidence.referrer is None:
        return []
    return [each for each in seen if each.referrer_id == evidence.referrer.participant_id]


def _shared(
    rule: str,
    what: str,
    level: Level,
    others: list[Sighting],
    *,
    threshold: int,
    excessive: bool = False,
    catches: bool = False,
) -> Finding:
    code: Code = "DUPLICATE_IDENTITY_EXCESSIVE" if excessive else "DUPLICATE_IDENTITY"
    newest = [each.participant_id for each in reversed(others)]
    return Finding(
        rule=rule,
        level=level,
        code=code,
        message=f"The {what} is that of other participants.",
        matched=tuple(newest[:MOST_MATCHED]),
        values={"shared": what, "participants": len(others), "threshold": threshold},
        catches_referrer=catches,
    )


def chain(evidence: Evidence) -> Finding | None:
    """A referred B, B referred C, and all three share an address or a device."""
    referrer = evidence.referrer
    if referrer is None or referrer.referrer_id is None:
        return None
    who = evidence.who
    with_referrer: dict[Kind, bool] = {
        "fingerprint": bool(who.fingerprint) and who.fingerprint == referrer.fingerprint,
        "instance": bool(who.mobile_instance_id)
        and who.mobile_instance_id == referrer.mobile_instance_id,
        "ip": _same_ip(who.ip_address, referrer.ip_address),
    }
    for kind, shared in with_referrer.items():
        seen = {each.participant_id for each in evidence.others(kind)}
        if shared and referrer.referrer_id in seen:
            return Finding(
                rule="chain",
                level="HIGH",
                code="REFERRAL_CHAIN_FRAUD",
                message="The referrer and the referrer's referrer are of the same origin.",
                matched=(referrer.participant_id, referrer.referrer_id),
                values={"shared": kind},
                catches_referrer=True,
            )
    return None


def ip_velocity(evidence: Evidence) -> Finding | None:
    """More sign-ups of one address than the campaign's caps let through."""
    if not evidence.is_signup:
        return None
    caps = (
        (2, evidence.policy.max_signups_per_ip_2_min),
        (10, evidence.policy.max_signups_per_ip_10_min),
    )
    for minutes, cap in caps:
        if cap is None:
            continue
        since = evidence.at - minutes * MINUTE_MS
        recent = [each.participant_id for each in evidence.others("ip") if each.at > since]
        if len(recent) >= cap:
            return Finding(
                rule="ip_velocity",
                level="HIGH",
                code="REFERRAL_VELOCITY_FRAUD",
                message=f"More than {cap} sign-ups of one IP address within {minutes} minutes.",
                matched=tuple(recent[::-1][:MOST_MATCHED]),
                values={"signups": len(recent) + 1, "threshold": cap, "minutes": minutes},
            )
    return None


def friend_velocity(evidence: Evidence) -> Finding | None:
    """Many friends of one referrer at once. It may be fame, so the referrer is not blamed."""
    if not evidence.is_signup:
        return None
    since = evidence.at - FAST_FRIENDS_MS
    recent = [each.participant_id for each in evidence.siblings if each.created_at > since]
    if len(recent) < FAST_FRIENDS:
        return None
    return Finding(
        rule="friend_velocity",
        level="MEDIUM",
        code="REFERRAL_VELOCITY_FRAUD",
        message="Many friends of the referrer have joined within ten minutes.",
        matched=tuple(recent[:MOST_MATCHED]),
        values={"friends": len(recent), "threshold": FAST_FRIENDS, "minutes": 10},
    )
