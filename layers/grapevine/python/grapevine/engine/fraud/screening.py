"""Screening a sign-up: what to read for it, what the rules say, and what is written of it.

Everything is read with what the sign-up reads anyway, but for the referrer's other friends. The
traits are written in the transaction of the sign-up under their versions, so that of two who come
at once with the same address the later one sees the earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from grapevine.engine.fraud.emails import mailbox_of
from grapevine.engine.fraud.evidence import Evidence, Person, Recommender
from grapevine.engine.fraud.patterns import Lists, identity_of
from grapevine.engine.fraud.reports import BY_HAND, changed, report_for
from grapevine.engine.fraud.settings import list_keys, lists_in
from grapevine.engine.fraud.verdict import Verdict, judged
from grapevine.engine.program import options_of
from grapevine.errors import Block, ParticipantBlocked
from grapevine.table import fraud_keys
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.fraud import FraudReport, Kind, Sighting, Trait, hash_of_trait
from grapevine.table.keys import Key
from grapevine.table.participants import Profile
from grapevine.table.referrals import Friend
from grapevine.table.writes import ABSENT, Delete, Put, Write, version

MOST_SIBLINGS = 100
"""How many of the referrer's other friends are compared, the newest ones."""

_DECIDED_BY_HAND = frozenset({BY_HAND, "WHITELISTED"})


def trait_hashes(campaign: Campaign, profile: Profile) -> dict[Kind, str]:
    """The traits by which others with the same mailbox, address or device are known. A profile
    that keeps none of these values leaves no trait of them either."""
    values: dict[Kind, str | None] = {
        "email": str(mailbox_of(profile.email)),
        "fingerprint": profile.fingerprint,
        "instance": profile.mobile_instance_id,
        "ip": identity_of(profile.ip_address) if profile.ip_address else None,
    }
    secret = campaign.trait_secret
    return {kind: hash_of_trait(secret, kind, value) for kind, value in values.items() if value}


def trait_keys(campaign: Campaign, profile: Profile) -> list[Key]:
    hashes = trait_hashes(campaign, profile).values()
    return [fraud_keys.trait(profile.campaign_id, trait_hash) for trait_hash in hashes]


def keys_to_read(campaign: Campaign, profile: Profile) -> list[Key]:
    return [*trait_keys(campaign, profile), *list_keys(campaign)]


@dataclass(frozen=True, slots=True)
class Screening:
    """What was found of somebody who joins. `traits` are as they were read, by their hashes."""

    verdict: Verdict
    traits: Mapping[str, Trait | None]
    lists: Lists

    def flagged(self, profile: Profile) -> Profile:
        return replace(
            profile,
            fraud_risk_level=self.verdict.level,
            fraud_reason_code=self.verdict.code,
        )

    def writes(self, profile: Profile) -> list[Write]:
        """The traits with the new participant, and why it has its level where a rule has said
        something."""
        sighting = Sighting(profile.created_at, profile.participant_id, profile.referrer_id)
        at = profile.created_at
        writes = [_seen(profile, each, trait, sighting, at) for each, trait in self.traits.items()]
        if self.verdict.findings:
            report = report_for(profile, self.verdict, profile.created_at)
            writes.append(Put(report.to_item(), ABSENT))
        return writes

    def catches(self, referrer: Profile) -> bool:
        """Whether the referrer becomes HIGH by it. What somebody has decided stays."""
        return (
            self.verdict.catches_referrer
            and referrer.fraud_risk_level != "HIGH"
            and referrer.fraud_reason_code not in _DECIDED_BY_HAND
            and self.lists.allowed_emails.match(referrer.email) is None
        )


def _seen(
    profile: Profile, trait_hash: str, trait: Trait | None, sighting: Sighting, now: int
) -> Write:
    if trait is not None:
        after = replace(trait.including(sighting), version=trait.version + 1)
        return Put(after.to_item(), version(trait.version))
    # A trait that nobody has any more is deleted: one that comes after it must not have a version
    # that somebody may have read of the former. So it begins with the time of this write, in ms,
    # which versions that count changes do not catch up with.
    first = Trait(
        campaign_id=profile.campaign_id,
        trait_hash=trait_hash,
        version=now,
    )
    return Put(first.including(sighting).to_item(), ABSENT)


def screened(
    campaign: Campaign,
    profile: Profile,
    *,
    referrer: Profile | None,
    siblings: Sequence[Friend],
    found: Mapping[Key, Item],
    ip_address: str | None,
    is_signup: bool = True,
) -> Screening:
    """`found` has what is at `keys_to_read`; `ip_address` is the one that came, for the lists."""
    own = trait_hashes(campaign, profile)
    campaign_id = campaign.campaign_id
    traits = {each: _trait_in(found, fraud_keys.trait(campaign_id, each)) for each in own.values()}
    lists = lists_in(found, campaign_id)
    evidence = Evidence(
        at=profile.created_at,
        who=_seen_as(Person, profile),
        referrer=_recommender(referrer) if referrer else None,
        siblings=tuple(_sibling(friend) for friend in siblings),
        seen={kind: trait.sightings for kind, each in own.items() if (trait := traits[each])},
        lists=lists,
        policy=options_of(campaign).fraud.policy,
        listed_ip=ip_address,
        is_signup=is_signup,
    )
    return Screening(judged(evidence), traits, lists)


def refuse_if_strict(
    campaign: Campaign,
    screening: Screening,
    profile: Profile,
    at: int,
) -> None:
    """Raises ParticipantBlocked where the campaign lets nobody of HIGH risk in."""
    verdict = screening.verdict
    if verdict.level != "HIGH" or not options_of(campaign).auto_block_fraud:
        return
    block = Block(
        fraud_risk_level=verdict.level,
        fraud_reason_code=verdict.code,
        matched_participant_ids=verdict.matched,
        email=profile.email,
        referrer_id=profile.referrer_id,
        ip_address=profile.ip_address,
        fingerprint=profile.fingerprint,
        blocked_at=at,
    )
    raise ParticipantBlocked(block)


def report_key(profile: Profile) -> Key:
    return fraud_keys.fraud_report(profile.campaign_id, profile.participant_id)


def caught_writes(
    referrer: Profile, screening: Screening, at: int, found: Item | None
) -> list[Put]:
    """Makes the referrer HIGH, with the reason that its friend has: the profile first, then the
    report, of which `found` is what there is."""
    report = FraudReport.from_item(found) if found else None
    profile, after = changed(
        referrer,
        report,
        "HIGH",
        screening.verdict.code,
        at,
        note="Found out by the sign-up of a friend.",
        by="engine",
    )
    profile = replace(profile, version=referrer.version + 1)
    after = replace(after, version=report.version + 1 if report else 0)
    return [
        Put(profile.to_item(), version(referrer.version)),
        Put(after.to_item(), version(report.version) if report else ABSENT),
    ]


def seen_anew(
    campaign: Campaign,
    before: Profile,
    after: Profile,
    screening: Screening,
    found: Mapping[Key, Item],
    now: int,
) -> list[Write]:
    """Takes a participant out of the traits that it no longer has and into those it has now, with
    its referrer of now; `found` has those of the two that are there."""
    kept = {*trait_keys(campaign, after)}
    gone = {key: item for key, item in found.items() if key not in kept}
    writes = forgotten(campaign, before, gone)
    sighting = Sighting(after.created_at, after.participant_id, after.referrer_id)
    for each, trait in screening.traits.items():
        if trait is None or trait.including(sighting).seen != trait.seen:
            writes.append(_seen(after, each, trait, sighting, now))
    return writes


def without_signals(campaign: Campaign, profile: Profile) -> Profile:
    """The profile as it may be looked at: in GDPR mode without address and device, which it has
    where the mode was set after it joined."""
    if not options_of(campaign).enforce_gdpr_compliance:
        return profile
    return replace(profile, ip_address=None, fingerprint=None, mobile_instance_id=None)


def forgotten(campaign: Campaign, profile: Profile, found: Mapping[Key, Item]) -> list[Write]:
    """Takes a participant out of its traits; `found` has those there are."""
    writes: list[Write] = []
    for key in trait_keys(campaign, profile):
        trait = _trait_in(found, key)
        if trait is None:
            continue
        after = replace(trait.without(profile.participant_id), version=trait.version + 1)
        if after.seen == trait.seen:
            continue
        condition = version(trait.version)
        writes.append(
            Put(after.to_item(), condition) if after.seen else Delete(trait.key, condition)
        )
    return writes


def _trait_in(found: Mapping[Key, Item], key: Key) -> Trait | None:
    return Trait.from_item(found[key]) if key in found else None


P = TypeVar("P", bound=Person)


def _seen_as(kind: type[P], profile: Profile, **more: Any) -> P:
    """A participant as the rules see one of this kind."""
    return kind(
        participant_id=profile.participant_id,
        email=profile.email,
        first_name=profile.first_name,
        last_name=profile.last_name,
        created_at=profile.created_at,
        ip_address=profile.ip_address,
        fingerprint=profile.fingerprint,
        mobile_instance_id=profile.mobile_instance_id,
        **more,
    )


def _recommender(profile: Profile) -> Recommender:
    level, referrer_id = profile.fraud_risk_level, profile.referrer_id
    return _seen_as(Recommender, profile, level=level, referrer_id=referrer_id)


def _sibling(friend: Friend) -> Person:
    return Person(
        participant_id=friend.referred_id,
        email=friend.email,
        first_name=friend.first_name,
        last_name=friend.last_name,
        created_at=friend.created_at,
    )
