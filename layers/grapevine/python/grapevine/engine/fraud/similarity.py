"""Rules about names and e-mail addresses: against the referrer and the referrer's friends."""

from __future__ import annotations

import unicodedata

from grapevine.engine.fraud.emails import (
    PUBLIC_PROVIDERS,
    is_burner,
    look_alike,
    mailbox_of,
    one_apart,
    stem_of,
)
from grapevine.engine.fraud.evidence import MOST_MATCHED, Evidence, Finding, Person
from grapevine.table.fraud import Level

PATTERN_MEDIUM, PATTERN_HIGH = 3, 8
"""How many friends of a referrer have the same letters in their address."""

CLUSTER = 10
"""How many friends of a referrer are of one domain, and
`CLUSTER_SHARE` (percent) of those that were looked at."""
CLUSTER_SHARE = 80

SAME_FIRST_NAMES = 3
"""How many friends of a referrer have one first name."""

_SHORTEST_STEM = 3
_SHORTEST_MISTYPED = 5


def burner(evidence: Evidence) -> Finding | None:
    if not evidence.policy.block_burner_emails:
        return None
    domain = mailbox_of(evidence.who.email).domain
    if not is_burner(domain):
        return None
    return Finding(
        rule="burner",
        level="HIGH",
        code="EMAIL_FRAUD",
        message="The email address is of a provider of throw-away addresses.",
        values={"domain": domain},
    )


def duplicate_email(evidence: Evidence) -> Finding | None:
    """The same mailbox, written in another way."""
    mailbox = mailbox_of(evidence.who.email)
    referrer = evidence.referrer
    if referrer is not None and mailbox_of(referrer.email) == mailbox:
        return _duplicate("HIGH", "the referrer's", [referrer.participant_id], catches=True)
    known = [each for each in evidence.siblings if mailbox_of(each.email) == mailbox]
    siblings = [each.participant_id for each in known]
    if referrer is not None:
        siblings += [
            each.participant_id
            for each in evidence.others("email")
            if each.referrer_id == referrer.participant_id
        ]
    if siblings:
        text = "that of another friend of the referrer"
        return _duplicate("HIGH", text, list(dict.fromkeys(siblings)), catches=True)
    others = [each.participant_id for each in evidence.others("email")]
    return _duplicate("MEDIUM", "that of another participant", others) if others else None


def _duplicate(level: Level, whose: str, matched: list[str], *, catches: bool = False) -> Finding:
    return Finding(
        rule="duplicate_email",
        level=level,
        code="DUPLICATE_EMAIL",
        message=f"The email address leads to the same mailbox as {whose}.",
        matched=tuple(matched[:MOST_MATCHED]),
        catches_referrer=catches,
    )


def similar_email(evidence: Evidence) -> Finding | None:
    """An address that is another mailbox, but looks like one that is known."""
    mailbox = mailbox_of(evidence.who.email)
    known: list[Person] = [*([evidence.referrer] if evidence.referrer else []), *evidence.siblings]
    matched = [each.participant_id for each in known if look_alike(mailbox, mailbox_of(each.email))]
    if not matched:
        return None
    of_referrer = evidence.referrer is not None and matched[0] == evidence.referrer.participant_id
    whose = "the referrer's" if of_referrer else "that of another friend of the referrer"
    return Finding(
        rule="similar_email",
        level="MEDIUM",
        code="SIMILAR_EMAIL",
        message=f"The email address looks like {whose}.",
        matched=tuple(matched[:MOST_MATCHED]),
    )


def email_pattern(evidence: Evidence) -> Finding | None:
    """Friends whose addresses differ in digits and punctuation only."""
    mailbox = mailbox_of(evidence.who.email)
    stem = stem_of(mailbox)
    if len(stem) < _SHORTEST_STEM:
        return None
    matched = [
        each.participant_id
        for each, other in ((each, mailbox_of(each.email)) for each in evidence.siblings)
        if other.domain == mailbox.domain and stem_of(other) == stem
    ]
    if len(matched) < PATTERN_MEDIUM:
        return None
    excessive = len(matched) >= PATTERN_HIGH
    return Finding(
        rule="email_pattern",
        level="HIGH" if excessive else "MEDIUM",
        code="REFERRAL_EMAIL_PATTERN",
        message="The email addresses of the referrer's friends follow a pattern.",
        matched=tuple(matched[:MOST_MATCHED]),
        values={
            "friends": len(matched),
            "threshold": PATTERN_HIGH if excessive else PATTERN_MEDIUM,
        },
        catches_referrer=excessive,
    )


def domain_clustering(evidence: Evidence) -> Finding | None:
    """Friends of one domain that is neither a public provider's nor the referrer's own."""
    domain = mailbox_of(evidence.who.email).domain
    referrer = evidence.referrer
    if referrer is None or domain in PUBLIC_PROVIDERS:
        return None
    if mailbox_of(referrer.email).domain == domain:
        return None
    matched = [
        each.participant_id for each in evidence.siblings if mailbox_of(each.email).domain == domain
    ]
    enough = len(matched) * 100 >= CLUSTER_SHARE * len(evidence.siblings)
    if len(matched) < CLUSTER or not enough:
        return None
    return Finding(
        rule="domain_clustering",
        level="MEDIUM",
        code="DOMAIN_CLUSTERING_FRAUD",
        message="Nearly all friends of the referrer are of one email domain.",
        matched=tuple(matched[:MOST_MATCHED]),
        values={"domain": domain, "friends": len(matched), "of": len(evidence.siblings)},
    )


def _letters(name: str | None) -> str:
    folded = unicodedata.normalize("NFKD", name or "").casefold()
    return "".join(each for each in folded if each.isalnum())


def _alike(first: str | None, second: str | None) -> bool:
    one, other = _letters(first), _letters(second)
    if not one or not other:
        return False
    long_enough = min(len(one), len(other)) >= _SHORTEST_MISTYPED
    return one == other or (long_enough and one_apart(one, other))


def _whole_name_alike(one: Person, other: Person) -> bool:
    return _alike(one.first_name, other.first_name) and _alike(one.last_name, other.last_name)


def similar_last_name(evidence: Evidence) -> Finding | None:
    """The whole name of the referrer or of another friend; or the referrer's last name, which is
    what families have."""
    who, referrer = evidence.who, evidence.referrer
    known: list[Person] = [*([referrer] if referrer else []), *evidence.siblings]
    namesakes = [each.participant_id for each in known if _whole_name_alike(who, each)]
    if namesakes:
        return Finding(
            rule="similar_last_name",
            level="MEDIUM",
            code="SIMILAR_LAST_NAME",
            message="First and last name are those of the referrer or of another friend.",
            matched=tuple(namesakes[:MOST_MATCHED]),
        )
    if referrer is not None and _alike(who.last_name, referrer.last_name):
        return Finding(
            rule="similar_last_name",
            level="LOW",
            code="SIMILAR_LAST_NAME",
            message="The last name is the referrer's.",
            matched=(referrer.participant_id,),
        )
    return None


def similar_first_name(evidence: Evidence) -> Finding | None:
    who, referrer = evidence.who, evidence.referrer
    siblings = [
        each.participant_id for each in evidence.siblings if _alike(who.first_name, each.first_name)
    ]
    if len(siblings) >= SAME_FIRST_NAMES:
        return Finding(
            rule="similar_first_name",
            level="MEDIUM",
            code="SIMILAR_FIRST_NAME",
            message="Several friends of the referrer have this first name.",
            matched=tuple(siblings[:MOST_MATCHED]),
            values={"friends": len(siblings), "threshold": SAME_FIRST_NAMES},
        )
    if referrer is not None and _alike(who.first_name, referrer.first_name):
        return Finding(
            rule="similar_first_name",
            level="LOW",
            code="SIMILAR_FIRST_NAME",
            message="The first name is the referrer's.",
            matched=(referrer.participant_id,),
        )
    return None
