"""Each rule about fraud by itself: what it finds, what it leaves alone, and where it begins."""

from __future__ import annotations

from typing import Any

import pytest

from grapevine.engine.fraud import identity, similarity
from grapevine.engine.fraud.evidence import Evidence, Person, Policy, Recommender
from grapevine.engine.fraud.patterns import (
    EmailList,
    IpList,
    Lists,
)
from grapevine.engine.fraud.verdict import RULES, Rule
from grapevine.table.fraud import Kind, Sighting

NOW = 1_800_000_000_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
IP = "203.0.113.7"

Found = tuple[str, str] | None


def person(email: str = "newcomer@one.example", **fields: Any) -> Person:
    return Person(participant_id="new", email=email, **fields)


def referrer(email: str = "ref@two.example", **fields: Any) -> Recommender:
    return Recommender(participant_id="ref", email=email, **fields)


def siblings(*emails: str, **fields: Any) -> tuple[Person, ...]:
    return tuple(
        Person(participant_id=f"s{number}", email=email, **fields)
        for number, email in enumerate(emails)
    )


def evidence(who: Person | None = None, **fields: Any) -> Evidence:
    return Evidence(at=NOW, who=who or person(), **fields)


def seen(
    kind: Kind, number: int, by: str | None = None, ago: int = 0
) -> dict[Kind, tuple[Sighting, ...]]:
    return {kind: tuple(Sighting(NOW - ago, f"o{place}", by) for place in range(number))}


def found_by(rule: Rule, given: Evidence) -> Found:
    finding = rule(given)
    return (finding.level, finding.code) if finding else None


def of_emails(who: str, ref: str | None, *others: str) -> Evidence:
    return evidence(
        person(who), referrer=referrer(ref) if ref else None, siblings=siblings(*others)
    )


def named(who: tuple[str, str], ref: tuple[str, str], *others: tuple[str, str]) -> Evidence:
    return evidence(
        person(first_name=who[0], last_name=who[1]),
        referrer=referrer(first_name=ref[0], last_name=ref[1]),
        siblings=tuple(
            Person(
                participant_id=f"s{number}",
                email=f"x{number}@three.example",
                first_name=first,
                last_name=last,
            )
            for number, (first, last) in enumerate(others)
        ),
    )


def device(own: str | None, other: str | None, name: str = "fingerprint") -> Evidence:
    mine: dict[str, Any] = {name: own}
    theirs: dict[str, Any] = {name: other}
    return evidence(person(**mine), referrer=referrer(**theirs))


def capped(number: int, ago: int, *, is_signup: bool = True) -> Evidence:
    policy = Policy(max_signups_per_ip_2_min=5, max_signups_per_ip_10_min=8)
    return evidence(policy=policy, seen=seen("ip", number, ago=ago), is_signup=is_signup)


def listed(email: str, ip: str | None = None) -> Evidence:
    """Somebody who joins where these lists are kept."""
    lists = Lists(
        allowed_emails=EmailList.of(["mia@allowed.example"]),
        allowed_ips=IpList.of(["198.51.100.77"]),
        blocked_emails=EmailList.of(["blocked.example", "troll@gmail.com"]),
        blocked_ips=IpList.of(["198.51.100.0/24"]),
    )
    return evidence(person(email), lists=lists, listed_ip=ip)


def in_chain(first: str, kind: str = "device") -> Evidence:
    """`first` is who was seen with the newcomer's trait; the referrer's referrer is `top`."""
    who = {"fingerprint": "d1"} if kind == "device" else {"ip_address": IP}
    trait: Kind = "fingerprint" if kind == "device" else "ip"
    return evidence(
        person(**who),
        referrer=referrer(referrer_id="top", **who),
        seen={trait: (Sighting(NOW, first, None), Sighting(NOW, "ref", "top"))},
    )


def burners(email: str, *, switched_on: bool = True) -> Evidence:
    return evidence(person(email), policy=Policy(block_burner_emails=switched_on))


def at_risk(level: Any, *, switched_on: bool = True) -> Evidence:
    policy = Policy(block_high_risk_referrers=switched_on)
    return evidence(referrer=referrer(level=level), policy=policy)


def friends(number: int, ago: int, *, is_signup: bool = True) -> Evidence:
    emails = [f"f{place}@d{place}.example" for place in range(number)]
    return evidence(
        referrer=referrer(),
        siblings=siblings(*emails, created_at=NOW - ago),
        is_signup=is_signup,
    )


ANNAS = [f"anna{number}@gmail.com" for number in range(20)]
ACMES = [f"{name}@acme.example" for name in "abcdefghijklmnop"]
DUPLICATE, EXCESSIVE = "DUPLICATE_IDENTITY", "DUPLICATE_IDENTITY_EXCESSIVE"
PATTERN, FAST = "REFERRAL_EMAIL_PATTERN", "REFERRAL_VELOCITY_FRAUD"
LAST, FIRST = "SIMILAR_LAST_NAME", "SIMILAR_FIRST_NAME"
CHAIN, CLUSTER = "REFERRAL_CHAIN_FRAUD", "DOMAIN_CLUSTERING_FRAUD"
EMAIL, IDENTITY = similarity.duplicate_email, identity.identity_of_referrer

CASES: list[tuple[Rule, Evidence, Found]] = [
    # The same mailbox
    (EMAIL, of_emails("a.b+x@gmail.com", "AB@googlemail.com"), ("HIGH", "DUPLICATE_EMAIL")),
    (EMAIL, of_emails("ab+2@one.example", "x@y.example", "ab@one.example"),
     ("HIGH", "DUPLICATE_EMAIL")),
    (EMAIL, evidence(seen=seen("email", 1)), ("MEDIUM", "DUPLICATE_EMAIL")),
    (EMAIL, evidence(referrer=referrer(), seen=seen("email", 1, "ref")),
     ("HIGH", "DUPLICATE_EMAIL")),
    (EMAIL, evidence(seen={"email": (Sighting(NOW, "new", None),)}), None),
    # Look-alikes
    (similarity.similar_email, of_emails("pau1@x.example", "paul@x.example"),
     ("MEDIUM", "SIMILAR_EMAIL")),
    (similarity.similar_email, of_emails("r\u0456chard@x.example", "q@q.example",
                                         "richard@x.example"), ("MEDIUM", "SIMILAR_EMAIL")),
    (similarity.similar_email, of_emails("richrad@gmail.com", "richard@gmail.com"),
     ("MEDIUM", "SIMILAR_EMAIL")),
    (similarity.similar_email, of_emails("jsmith@acme.example", "ksmith@acme.example"), None),
    (similarity.similar_email, of_emails("paul@x.example", "paul@y.example"), None),
    (similarity.similar_email, of_emails("b0b8y@x.example", "bobby@x.example"),
     ("MEDIUM", "SIMILAR_EMAIL")),
    # Throw-away addresses
    (similarity.burner, burners("a@mailinator.com"), ("HIGH", "EMAIL_FRAUD")),
    (similarity.burner, burners("a@gmail.com"), None),
    (similarity.burner, burners("a@mailinator.com", switched_on=False), None),
    # Patterns and domains
    (similarity.email_pattern, of_emails("anna-99@gmail.com", None, *ANNAS[:2]), None),
    (similarity.email_pattern, of_emails("anna-99@gmail.com", None, *ANNAS[:8]), ("HIGH", PATTERN)),
    (similarity.email_pattern, of_emails("12@gmail.com", None, *ANNAS), None),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@r.example", *ACMES[:9]), None),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@r.example", *ACMES[:10]),
     ("MEDIUM", CLUSTER)),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@acme.example", *ACMES), None),
    (similarity.domain_clustering, of_emails("z@gmail.com", "r@r.example", *ANNAS), None),
    # Names
    (similarity.similar_last_name, named(("Zoë", "Barnés"), ("zoe", "BARNES")), ("MEDIUM", LAST)),
    (similarity.similar_last_name, named(("Ann", "Lee"), ("Bob", "Lee")), ("LOW", LAST)),
    (similarity.similar_last_name, named(("Ann", "Lee"), ("Bob", "Leo")), None),
    (similarity.similar_first_name, named(("Ann", "A"), ("Ann", "B")), ("LOW", FIRST)),
    (similarity.similar_first_name, named(("Ann", "A"), ("Anne", "B")), None),
    (similarity.similar_first_name, named(("Ann", "A"), ("X", "Y"), *[("Ann", "C")] * 3),
     ("MEDIUM", FIRST)),
    # The referrer itself
    (IDENTITY, device("d1", "d1"), ("HIGH", DUPLICATE)),
    (IDENTITY, device("i1", "i1", "mobile_instance_id"), ("HIGH", DUPLICATE)),
    (IDENTITY, device(IP, IP, "ip_address"), ("MEDIUM", DUPLICATE)),
    (IDENTITY, device("d1", "d2"), None),
    (IDENTITY, device(None, None), None),
    (IDENTITY, device("10.0.0.1", "10.0.0.1", "ip_address"), None),
    (identity.referrer_high_risk, at_risk("HIGH"), ("HIGH", "REFERRER_HIGH_RISK")),
    (identity.referrer_high_risk, at_risk("MEDIUM"), None),
    # Everybody else
    (identity.device_of_others, evidence(seen=seen("fingerprint", 1)), ("MEDIUM", DUPLICATE)),
    (identity.device_of_others, evidence(seen=seen("fingerprint", 3)), ("HIGH", EXCESSIVE)),
    (identity.device_of_others, evidence(seen=seen("instance", 3)), None),
    (identity.installation_of_others, evidence(seen=seen("instance", 1)), ("MEDIUM", DUPLICATE)),
    (identity.installation_of_others, evidence(seen=seen("instance", 3)), ("HIGH", EXCESSIVE)),
    (identity.installation_of_others, evidence(seen=seen("fingerprint", 3)), None),
    (identity.ip_of_others, evidence(referrer=referrer(), seen=seen("ip", 1, "ref")), None),
    (identity.ip_of_others, evidence(referrer=referrer(), seen=seen("ip", 2, "ref")),
     ("MEDIUM", DUPLICATE)),
    (identity.ip_of_others, evidence(referrer=referrer(), seen=seen("ip", 5, "ref")),
     ("HIGH", EXCESSIVE)),
    (identity.ip_of_others, evidence(seen=seen("ip", 5)), ("MEDIUM", DUPLICATE)),
    (identity.ip_of_others, evidence(seen=seen("ip", 20)), ("MEDIUM", EXCESSIVE)),
    (identity.ip_of_others, evidence(seen=seen("ip", 20, ago=DAY)), None),
    # Chains
    (identity.chain, in_chain("top"), ("HIGH", CHAIN)),
    (identity.chain, in_chain("top", "ip"), ("HIGH", CHAIN)),
    (identity.chain, evidence(referrer=referrer()), None),
    # Velocity
    (identity.ip_velocity, capped(4, MINUTE), None),
    (identity.ip_velocity, capped(5, MINUTE), ("HIGH", FAST)),
    (identity.ip_velocity, capped(8, 5 * MINUTE), ("HIGH", FAST)),
    (identity.ip_velocity, capped(8, 10 * MINUTE), None),
    (identity.ip_velocity, capped(20, MINUTE, is_signup=False), None),
    (identity.ip_velocity, evidence(seen=seen("ip", 100)), None),
    (identity.friend_velocity, friends(10, MINUTE), ("MEDIUM", FAST)),
    (identity.friend_velocity, friends(10, 10 * MINUTE), None),
    (identity.friend_velocity, friends(10, MINUTE, is_signup=False), None),
    # Lists
    (identity.allow_list, listed("mia@allowed.example"), ("LOW", "WHITELISTED")),
    (identity.allow_list, listed("x@y.example", "198.51.100.77"), ("LOW", "WHITELISTED")),
    (identity.allow_list, listed("mia@blocked.example", "198.51.100.5"), None),
    (identity.blocked_email, listed("mia@blocked.example"), ("HIGH", "BLACKLIST_MATCH")),
    (identity.blocked_email, listed("T.ro.ll+2@googlemail.com"), ("HIGH", "BLACKLIST_MATCH")),
    (identity.blocked_email, listed("mia@open.example"), None),
    (identity.blocked_ip, listed("x@y.example", "198.51.100.5"), ("HIGH", "BLOCKED_IP")),
    (identity.blocked_ip, listed("x@y.example", "192.0.2.5"), None),
    (identity.blocked_ip, listed("x@y.example", None), None),
]  # fmt: skip

EDGES: list[tuple[Rule, Evidence, Found]] = [
    (EMAIL, of_emails("a.b@one.example", "ab@one.example"), None),
    (similarity.similar_email, of_emails("a1@x.example", "al@x.example"), None),
    (similarity.burner, burners("a@deep.mailinator.com"), ("HIGH", "EMAIL_FRAUD")),
    (similarity.email_pattern, of_emails("anna-99@gmail.com", None, *ANNAS[:3]),
     ("MEDIUM", PATTERN)),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@r.example",
                                             *ACMES[:10], *ANNAS[:3]), None),
    (similarity.similar_last_name, named(("", ""), ("", "")), None),
    (similarity.similar_first_name, named(("Ann", "A"), ("X", "Y"), *[("Ann", "C")] * 2), None),
    (IDENTITY, device("2001:db8::1", "2001:db8::ffff", "ip_address"), ("MEDIUM", DUPLICATE)),
    (identity.referrer_high_risk, at_risk("HIGH", switched_on=False), None),
    (identity.device_of_others, evidence(seen=seen("fingerprint", 2)), ("MEDIUM", DUPLICATE)),
    (identity.installation_of_others, evidence(seen=seen("instance", 2)), ("MEDIUM", DUPLICATE)),
    (identity.ip_of_others, evidence(seen=seen("ip", 4)), None),
    (identity.chain, in_chain("stranger"), None),
    (identity.ip_velocity, capped(5, 2 * MINUTE), None),
    (identity.friend_velocity, friends(9, MINUTE), None),
    (identity.ip_of_others, evidence(seen=seen("ip", 20, ago=-DAY)), None),
    (identity.allow_list, listed("mia+1@allowed.example"), None),
    (identity.blocked_email, listed("mia@notblocked.example"), None),
    (identity.blocked_ip, listed("x@y.example", "::ffff:198.51.100.5"), ("HIGH", "BLOCKED_IP")),
    (identity.blocked_ip, listed("x@y.example", "198.51.101.0"), None),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "given", "expected"), [*CASES, *EDGES])
def test_a_rule_finds_what_it_is_for_and_no_more(
    rule: Rule, given: Evidence, expected: Found
) -> None:
    assert found_by(rule, given) == expected


@pytest.mark.parametrize("rule", [identity.allow_list, *RULES])
def test_every_rule_is_shown_to_find_to_be_silent_and_at_its_edge(rule: Rule) -> None:
    found = {expected is not None for each, _, expected in CASES if each is rule}

    assert found == {True, False}
    assert rule in [each for each, _, _ in EDGES]
