"""What comes of all rules together: the level, the reason, and whether the referrer is caught.

What each rule finds by itself is in test_rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from grapevine.engine.fraud.evidence import Evidence, Person, Policy, Recommender
from grapevine.engine.fraud.patterns import EmailList, IpList, Lists
from grapevine.engine.fraud.verdict import judged
from grapevine.table.fraud import Kind, Sighting

NOW = 1_800_000_000_000
MINUTE = 60_000
IP = "203.0.113.7"


def who(**fields: Any) -> Person:
    known: dict[str, Any] = {"participant_id": "new001", "email": "mia@shop.example", **fields}
    return Person(**known)


def referrer(**fields: Any) -> Recommender:
    known: dict[str, Any] = {"participant_id": "ref001", "email": "zoe@home.example", **fields}
    return Recommender(**known)


def siblings(*emails: str, **fields: Any) -> tuple[Person, ...]:
    return tuple(
        Person(participant_id=f"sib{place:03}", email=email, **fields)
        for place, email in enumerate(emails)
    )


def seen(number: int, *, ago: int = MINUTE, by: str | None = None) -> tuple[Sighting, ...]:
    return tuple(Sighting(NOW - ago, f"see{place:03}", by) for place in range(number))


@dataclass(frozen=True)
class Case:
    """What is there, and the level and code that come of it."""

    level: str
    code: str
    who: Person = field(default_factory=who)
    referrer: Recommender | None = field(default_factory=referrer)
    siblings: tuple[Person, ...] = ()
    seen: dict[Kind, tuple[Sighting, ...]] = field(default_factory=dict)
    lists: Lists = field(default_factory=Lists)
    policy: Policy = field(default_factory=Policy)
    listed_ip: str | None = None
    catches: bool = False
    is_signup: bool = True


def clean(**fields: Any) -> Case:
    return Case("LOW", "UNIQUE_IDENTITY", **fields)


BLOCKED = Lists(
    blocked_emails=EmailList.of(["mia@gmail.com", "bad.example", "*.spam.example"]),
    blocked_ips=IpList.of(["203.0.113.0/24", "198.51.100.*", "2001:db8::/32"]),
)
ALLOWED = Lists(
    allowed_emails=EmailList.of(["mia@shop.example"]),
    allowed_ips=IpList.of([IP]),
    blocked_emails=EmailList.of(["shop.example"]),
    blocked_ips=IpList.of(["203.0.113.*"]),
)
NAMES = {"first_name": "Mia", "last_name": "Keller"}
CAPPED = Policy(max_signups_per_ip_2_min=3, max_signups_per_ip_10_min=6)
BURNERS = Policy(block_burner_emails=True)
STRICT_REFERRERS = Policy(block_high_risk_referrers=True)
PATTERN = [f"mia.{number}@shop.example" for number in range(8)]
DOMAIN = [
    f"{name}@firm.example"
    for name in ["abe", "bob", "cid", "dan", "eva", "fay", "gus", "hal", "ivy", "jon"]
]

CASES = {
    "nothing": clean(),
    "nothing without a referrer": clean(referrer=None),
    # Lists
    "blocked domain": Case("HIGH", "BLACKLIST_MATCH", who(email="x@BAD.example"), lists=BLOCKED),
    "blocked domain pattern": Case(
        "HIGH", "BLACKLIST_MATCH", who(email="x@a.spam.example"), lists=BLOCKED
    ),
    "blocked mailbox by another name": Case(
        "HIGH", "BLACKLIST_MATCH", who(email="M.ia+1@googlemail.com"), lists=BLOCKED
    ),
    "another domain that ends like it": clean(who=who(email="x@notbad.example"), lists=BLOCKED),
    "blocked network": Case("HIGH", "BLOCKED_IP", listed_ip=IP, lists=BLOCKED),
    "blocked pattern": Case("HIGH", "BLOCKED_IP", listed_ip="198.51.100.9", lists=BLOCKED),
    "blocked v6 network": Case("HIGH", "BLOCKED_IP", listed_ip="2001:db8::9", lists=BLOCKED),
    "mapped address": Case("HIGH", "BLOCKED_IP", listed_ip="::ffff:203.0.113.7", lists=BLOCKED),
    "beside the network": clean(listed_ip="203.0.114.0", lists=BLOCKED),
    "allowed address beats block": Case("LOW", "WHITELISTED", lists=ALLOWED),
    "allowed IP beats block": Case(
        "LOW", "WHITELISTED", who(email="q@shop.example"), listed_ip=IP, lists=ALLOWED
    ),
    # The referrer's risk
    "high referrer": Case(
        "HIGH", "REFERRER_HIGH_RISK", referrer=referrer(level="HIGH"), policy=STRICT_REFERRERS
    ),
    "medium referrer": clean(referrer=referrer(level="MEDIUM"), policy=STRICT_REFERRERS),
    "high referrer, switched off": clean(referrer=referrer(level="HIGH")),
    # Identity
    "referrer's device": Case(
        "HIGH",
        "DUPLICATE_IDENTITY",
        who(fingerprint="f"),
        referrer(fingerprint="f"),
        catches=True,
    ),
    "referrer's installation": Case(
        "HIGH",
        "DUPLICATE_IDENTITY",
        who(mobile_instance_id="m"),
        referrer(mobile_instance_id="m"),
        catches=True,
    ),
    "no device is no common device": clean(
        who=who(fingerprint=""), referrer=referrer(fingerprint="")
    ),
    "referrer's IP": Case(
        "MEDIUM", "DUPLICATE_IDENTITY", who(ip_address=IP), referrer(ip_address=IP)
    ),
    "same v6 household": Case(
        "MEDIUM",
        "DUPLICATE_IDENTITY",
        who(ip_address="2001:db8::1"),
        referrer(ip_address="2001:db8::2"),
    ),
    "private IP": clean(who=who(ip_address="10.0.0.1"), referrer=referrer(ip_address="10.0.0.1")),
    "device of one other": Case("MEDIUM", "DUPLICATE_IDENTITY", seen={"fingerprint": seen(1)}),
    "device of three others": Case(
        "HIGH", "DUPLICATE_IDENTITY_EXCESSIVE", seen={"fingerprint": seen(3)}
    ),
    "device of three friends": Case(
        "HIGH",
        "DUPLICATE_IDENTITY_EXCESSIVE",
        seen={"instance": seen(3, by="ref001")},
        catches=True,
    ),
    "IP of one friend": clean(seen={"ip": seen(1, by="ref001")}),
    "IP of two friends": Case("MEDIUM", "DUPLICATE_IDENTITY", seen={"ip": seen(2, by="ref001")}),
    "IP of five friends": Case(
        "HIGH", "DUPLICATE_IDENTITY_EXCESSIVE", seen={"ip": seen(5, by="ref001")}, catches=True
    ),
    "IP of an office": clean(seen={"ip": seen(4)}),
    "IP of five": Case("MEDIUM", "DUPLICATE_IDENTITY", seen={"ip": seen(5)}),
    "IP of twenty": Case("MEDIUM", "DUPLICATE_IDENTITY_EXCESSIVE", seen={"ip": seen(20)}),
    "IP of long ago": clean(seen={"ip": seen(20, ago=24 * 60 * MINUTE)}),
    "chain": Case(
        "HIGH",
        "REFERRAL_CHAIN_FRAUD",
        who(ip_address=IP),
        referrer(ip_address=IP, referrer_id="see000"),
        seen={"ip": seen(1)},
        catches=True,
    ),
    "chain of two addresses": clean(
        who=who(ip_address=IP),
        referrer=referrer(ip_address="192.0.2.1", referrer_id="see000"),
        seen={"ip": seen(1)},
    ),
    # Speed
    "below the cap": clean(referrer=None, seen={"ip": seen(2)}, policy=CAPPED),
    "at the cap": Case(
        "HIGH", "REFERRAL_VELOCITY_FRAUD", referrer=None, seen={"ip": seen(3)}, policy=CAPPED
    ),
    "two minutes ago": clean(referrer=None, seen={"ip": seen(3, ago=2 * MINUTE)}, policy=CAPPED),
    "slower cap": Case(
        "HIGH",
        "REFERRAL_VELOCITY_FRAUD",
        referrer=None,
        seen={"ip": seen(6, ago=9 * MINUTE)},
        policy=CAPPED,
    ),
    "looked at again": clean(referrer=None, seen={"ip": seen(3)}, policy=CAPPED, is_signup=False),
    "ten friends at once": Case(
        "MEDIUM",
        "REFERRAL_VELOCITY_FRAUD",
        siblings=siblings(*(f"{n}@gmail.com" for n in DOMAIN), created_at=NOW - MINUTE),
    ),
    "nine friends at once": clean(
        siblings=siblings(*(f"{n}@gmail.com" for n in DOMAIN[:9]), created_at=NOW - MINUTE)
    ),
    # E-mail
    "referrer's mailbox": Case(
        "HIGH",
        "DUPLICATE_EMAIL",
        who(email="z.o.e+2@gmail.com"),
        referrer(email="zoe@googlemail.com"),
        catches=True,
    ),
    "dots count elsewhere": clean(
        who=who(email="z.o.e@firm.example"), referrer=referrer(email="zoe@firm.example")
    ),
    "friend's mailbox": Case(
        "HIGH",
        "DUPLICATE_EMAIL",
        who(email="mia+2@shop.example"),
        siblings=siblings("mia@shop.example"),
        catches=True,
    ),
    "somebody's mailbox": Case("MEDIUM", "DUPLICATE_EMAIL", seen={"email": seen(1)}),
    "looks like the referrer": Case(
        "MEDIUM", "SIMILAR_EMAIL", who(email="zoe1e@gmail.com"), referrer(email="zoele@gmail.com")
    ),
    "two people of a company": clean(
        who=who(email="jsmith@firm.example"), referrer=referrer(email="ksmith@firm.example")
    ),
    "burner": Case("HIGH", "EMAIL_FRAUD", who(email="x@mailinator.com"), policy=BURNERS),
    "burner's subdomain": Case(
        "HIGH", "EMAIL_FRAUD", who(email="x@a.mailinator.com"), policy=BURNERS
    ),
    "burner, switched off": clean(who=who(email="x@mailinator.com")),
    "no burner": clean(who=who(email="x@gmail.com"), policy=BURNERS),
    "pattern of three": Case("MEDIUM", "REFERRAL_EMAIL_PATTERN", siblings=siblings(*PATTERN[:3])),
    "pattern of two": clean(siblings=siblings(*PATTERN[:2])),
    "pattern of eight": Case(
        "HIGH", "REFERRAL_EMAIL_PATTERN", siblings=siblings(*PATTERN), catches=True
    ),
    "one domain": Case(
        "MEDIUM",
        "DOMAIN_CLUSTERING_FRAUD",
        who(email="kim@firm.example"),
        siblings=siblings(*DOMAIN),
    ),
    "nine of one domain": clean(who=who(email="kim@firm.example"), siblings=siblings(*DOMAIN[:9])),
    "colleagues of the referrer": clean(
        who=who(email="kim@firm.example"),
        referrer=referrer(email="zoe@firm.example"),
        siblings=siblings(*DOMAIN),
    ),
    # Names
    "referrer's name": Case("MEDIUM", "SIMILAR_LAST_NAME", who(**NAMES), referrer(**NAMES)),
    "referrer's family": Case(
        "LOW",
        "SIMILAR_LAST_NAME",
        who(first_name="Mia", last_name="Kéller"),
        referrer(first_name="Zoe", last_name="KELLER"),
    ),
    "referrer's first name": Case(
        "LOW", "SIMILAR_FIRST_NAME", who(first_name="Mia"), referrer(first_name="mia")
    ),
    "first name of three": Case(
        "MEDIUM",
        "SIMILAR_FIRST_NAME",
        who(first_name="Mia"),
        siblings=siblings("a@a.example", "b@b.example", "c@c.example", first_name="Mia"),
    ),
    "first name of two": clean(
        who=who(first_name="Mia"),
        siblings=siblings("a@a.example", "b@b.example", first_name="Mia"),
    ),
    "no names": clean(who=who(first_name="!", last_name=" "), referrer=referrer(first_name="?")),
    # Together
    "the highest level decides": Case(
        "HIGH",
        "DUPLICATE_IDENTITY",
        who(fingerprint="f", **NAMES),
        referrer(fingerprint="f", **NAMES),
        catches=True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_rules_find_what_they_should_and_nothing_else(name: str) -> None:
    case = CASES[name]

    verdict = judged(
        Evidence(
            at=NOW,
            who=case.who,
            referrer=case.referrer,
            siblings=case.siblings,
            seen=case.seen,
            lists=case.lists,
            policy=case.policy,
            listed_ip=case.listed_ip,
            is_signup=case.is_signup,
        )
    )

    assert (verdict.level, verdict.code) == (case.level, case.code)
    assert verdict.catches_referrer is case.catches


@pytest.mark.parametrize("strong", ["fingerprint", "instance"])
def test_a_weak_finding_about_one_device_hides_no_strong_one_about_the_other(strong: Kind) -> None:
    weak: Kind = "instance" if strong == "fingerprint" else "fingerprint"
    friends = tuple(Sighting(NOW, f"friend{number}", "ref001") for number in range(3))
    stranger = (Sighting(NOW, "stranger", None),)

    verdict = judged(
        Evidence(
            at=NOW,
            who=who(fingerprint="f", mobile_instance_id="m"),
            referrer=referrer(),
            seen={strong: friends, weak: stranger},
        )
    )

    assert (verdict.level, verdict.code) == ("HIGH", "DUPLICATE_IDENTITY_EXCESSIVE")
    assert verdict.catches_referrer
    assert [each.matched[-1:] for each in verdict.findings] == [("friend0",), ("stranger",)]
