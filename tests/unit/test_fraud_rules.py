"""Each rule about fraud: what it finds, what it leaves alone, and where it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grapevine.engine.fraud import identity, similarity
from grapevine.engine.fraud.emails import look_alike, mailbox_of, one_apart
from grapevine.engine.fraud.evidence import Evidence, Person, Policy, Recommender
from grapevine.engine.fraud.patterns import (
    EmailList,
    IpList,
    Lists,
    email_pattern,
    identity_of,
    ip_pattern,
)
from grapevine.engine.fraud.verdict import Rule, judged
from grapevine.table.fraud import MOST_SIGHTINGS, Kind, Sighting, Trait

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
    (EMAIL, of_emails("a.b@one.example", "ab@one.example"), None),
    (EMAIL, evidence(seen={"email": (Sighting(NOW, "new", None),)}), None),
    # Look-alikes
    (similarity.similar_email, of_emails("pau1@x.example", "paul@x.example"),
     ("MEDIUM", "SIMILAR_EMAIL")),
    (similarity.similar_email, of_emails("r\u0456chard@x.example", "q@q.example",
                                         "richard@x.example"), ("MEDIUM", "SIMILAR_EMAIL")),
    (similarity.similar_email, of_emails("richrad@gmail.com", "richard@gmail.com"),
     ("MEDIUM", "SIMILAR_EMAIL")),
    (similarity.similar_email, of_emails("jsmith@acme.example", "ksmith@acme.example"), None),
    (similarity.similar_email, of_emails("a1@x.example", "al@x.example"), None),
    (similarity.similar_email, of_emails("paul@x.example", "paul@y.example"), None),
    (similarity.similar_email, of_emails("b0b8y@x.example", "bobby@x.example"),
     ("MEDIUM", "SIMILAR_EMAIL")),
    # Throw-away addresses
    (similarity.burner, burners("a@mailinator.com"), ("HIGH", "EMAIL_FRAUD")),
    (similarity.burner, burners("a@deep.mailinator.com"), ("HIGH", "EMAIL_FRAUD")),
    (similarity.burner, burners("a@gmail.com"), None),
    (similarity.burner, burners("a@mailinator.com", switched_on=False), None),
    # Patterns and domains
    (similarity.email_pattern, of_emails("anna-99@gmail.com", None, *ANNAS[:2]), None),
    (similarity.email_pattern, of_emails("anna-99@gmail.com", None, *ANNAS[:3]),
     ("MEDIUM", PATTERN)),
    (similarity.email_pattern, of_emails("anna-99@gmail.com", None, *ANNAS[:8]), ("HIGH", PATTERN)),
    (similarity.email_pattern, of_emails("12@gmail.com", None, *ANNAS), None),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@r.example", *ACMES[:9]), None),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@r.example", *ACMES[:10]),
     ("MEDIUM", CLUSTER)),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@acme.example", *ACMES), None),
    (similarity.domain_clustering, of_emails("z@gmail.com", "r@r.example", *ANNAS), None),
    (similarity.domain_clustering, of_emails("z@acme.example", "r@r.example",
                                             *ACMES[:10], *ANNAS[:3]), None),
    # Names
    (similarity.similar_last_name, named(("Zoë", "Barnés"), ("zoe", "BARNES")), ("MEDIUM", LAST)),
    (similarity.similar_last_name, named(("Ann", "Lee"), ("Bob", "Lee")), ("LOW", LAST)),
    (similarity.similar_last_name, named(("Ann", "Lee"), ("Bob", "Leo")), None),
    (similarity.similar_last_name, named(("", ""), ("", "")), None),
    (similarity.similar_first_name, named(("Ann", "A"), ("Ann", "B")), ("LOW", FIRST)),
    (similarity.similar_first_name, named(("Ann", "A"), ("X", "Y"), *[("Ann", "C")] * 2), None),
    (similarity.similar_first_name, named(("Ann", "A"), ("X", "Y"), *[("Ann", "C")] * 3),
     ("MEDIUM", FIRST)),
    # The referrer itself
    (IDENTITY, device("d1", "d1"), ("HIGH", DUPLICATE)),
    (IDENTITY, device("i1", "i1", "mobile_instance_id"), ("HIGH", DUPLICATE)),
    (IDENTITY, device(IP, IP, "ip_address"), ("MEDIUM", DUPLICATE)),
    (IDENTITY, device("2001:db8::1", "2001:db8::ffff", "ip_address"), ("MEDIUM", DUPLICATE)),
    (IDENTITY, device("d1", "d2"), None),
    (IDENTITY, device(None, None), None),
    (IDENTITY, device("10.0.0.1", "10.0.0.1", "ip_address"), None),
    (identity.referrer_high_risk, at_risk("HIGH"), ("HIGH", "REFERRER_HIGH_RISK")),
    (identity.referrer_high_risk, at_risk("MEDIUM"), None),
    (identity.referrer_high_risk, at_risk("HIGH", switched_on=False), None),
    # Everybody else
    (identity.device_of_others, evidence(seen=seen("fingerprint", 1)), ("MEDIUM", DUPLICATE)),
    (identity.device_of_others, evidence(seen=seen("instance", 3)), ("HIGH", EXCESSIVE)),
    (identity.device_of_others, evidence(seen=seen("fingerprint", 2)), ("MEDIUM", DUPLICATE)),
    (identity.device_of_others, evidence(), None),
    (identity.ip_of_others, evidence(referrer=referrer(), seen=seen("ip", 1, "ref")), None),
    (identity.ip_of_others, evidence(referrer=referrer(), seen=seen("ip", 2, "ref")),
     ("MEDIUM", DUPLICATE)),
    (identity.ip_of_others, evidence(referrer=referrer(), seen=seen("ip", 5, "ref")),
     ("HIGH", EXCESSIVE)),
    (identity.ip_of_others, evidence(seen=seen("ip", 4)), None),
    (identity.ip_of_others, evidence(seen=seen("ip", 5)), ("MEDIUM", DUPLICATE)),
    (identity.ip_of_others, evidence(seen=seen("ip", 20)), ("MEDIUM", EXCESSIVE)),
    (identity.ip_of_others, evidence(seen=seen("ip", 20, ago=DAY)), None),
    # Chains
    (identity.chain, in_chain("top"), ("HIGH", CHAIN)),
    (identity.chain, in_chain("top", "ip"), ("HIGH", CHAIN)),
    (identity.chain, in_chain("stranger"), None),
    (identity.chain, evidence(referrer=referrer()), None),
    # Velocity
    (identity.ip_velocity, capped(4, MINUTE), None),
    (identity.ip_velocity, capped(5, MINUTE), ("HIGH", FAST)),
    (identity.ip_velocity, capped(5, 2 * MINUTE), None),
    (identity.ip_velocity, capped(8, 5 * MINUTE), ("HIGH", FAST)),
    (identity.ip_velocity, capped(8, 10 * MINUTE), None),
    (identity.ip_velocity, capped(20, MINUTE, is_signup=False), None),
    (identity.ip_velocity, evidence(seen=seen("ip", 100)), None),
    (identity.friend_velocity, friends(9, MINUTE), None),
    (identity.friend_velocity, friends(10, MINUTE), ("MEDIUM", FAST)),
    (identity.friend_velocity, friends(10, 10 * MINUTE), None),
    (identity.friend_velocity, friends(10, MINUTE, is_signup=False), None),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "given", "expected"), CASES)
def test_a_rule_finds_what_it_is_for_and_no_more(
    rule: Rule, given: Evidence, expected: Found
) -> None:
    assert found_by(rule, given) == expected


# Lists


@pytest.mark.parametrize(
    ("entry", "email", "matches"),
    [
        ("ann@x.example", "ANN@x.example", True),
        ("ann@x.example", "joann@x.example", False),
        ("@x.example", "anybody@x.example", True),
        ("x.example", "a@x.example", True),
        ("x.example", "a@sub.x.example", False),
        ("*.x.example", "a@sub.x.example", True),
        ("a*z@x.example", "abcz@x.example", True),
        ("a*z@x.example", "az@x.example", True),
        ("ab*ba@x.example", "aba@x.example", False),
    ],
)
def test_an_email_pattern_matches(entry: str, email: str, *, matches: bool) -> None:
    assert (EmailList.of([email_pattern(entry)]).match(email) is not None) == matches


@pytest.mark.parametrize(
    ("entry", "address", "matches"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.70", False),
        ("203.0.113.0/24", "203.0.113.255", True),
        ("203.0.113.9/24", "203.0.113.1", True),
        ("203.0.113.0/24", "203.0.114.0", False),
        ("203.0.113.*", "203.0.113.4", True),
        ("203.0.113.*", "203.0.11.4", False),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("::/0", "203.0.113.7", False),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("203.0.113.7", "not an address", False),
    ],
)
def test_an_ip_pattern_matches(entry: str, address: str, *, matches: bool) -> None:
    assert (IpList.of([ip_pattern(entry)]).match(address) is not None) == matches


@pytest.mark.parametrize("text", ["", " ", "@", "*", "*@*", "a b@x.example", "a@b@c", "a@x\n,b"])
def test_what_is_no_email_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Must be an email"):
        email_pattern(text)


@pytest.mark.parametrize("text", ["", "*", "*.*", "1.2.3", "1.2.3.4/33", "a.b.c.*", "1.2.3."])
def test_what_is_no_ip_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Must be an IP"):
        ip_pattern(text)


def test_a_blocked_mailbox_is_blocked_in_all_its_spellings() -> None:
    lists = Lists(blocked_emails=EmailList.of(["ab@gmail.com"]))

    verdict = judged(evidence(person("A.B+x@googlemail.com"), lists=lists))

    assert (verdict.level, verdict.code) == ("HIGH", "BLACKLIST_MATCH")


def test_an_allow_list_beats_a_block_list_and_everything_else() -> None:
    lists = Lists(
        allowed_emails=EmailList.of(["one.example"]),
        blocked_emails=EmailList.of(["*@one.example"]),
        blocked_ips=IpList.of([IP]),
    )

    verdict = judged(replace(device("d1", "d1"), lists=lists, listed_ip=IP))

    assert (verdict.level, verdict.code) == ("LOW", "WHITELISTED")
    assert [each.rule for each in verdict.findings] == ["allow_list"]
    assert not verdict.catches_referrer


def test_a_block_list_gives_the_reason_before_other_findings_of_its_level() -> None:
    given = replace(device("d1", "d1"), lists=Lists(blocked_ips=IpList.of([IP])), listed_ip=IP)

    verdict = judged(given)

    assert [each.code for each in verdict.findings] == ["BLOCKED_IP", "DUPLICATE_IDENTITY"]
    assert verdict.catches_referrer


def test_without_a_stored_address_no_finding_tells_the_entry_that_matched() -> None:
    lists = Lists(blocked_ips=IpList.of(["203.0.113.0/24"]))

    hidden = judged(evidence(lists=lists, listed_ip=IP))
    stored = judged(evidence(person(ip_address=IP), lists=lists, listed_ip=IP))

    assert hidden.findings[0].values == {}
    assert stored.findings[0].values == {"entry": "203.0.113.0/24"}


def test_somebody_like_nobody_is_unique() -> None:
    verdict = judged(evidence(referrer=referrer()))

    assert (verdict.level, verdict.code, verdict.findings) == ("LOW", "UNIQUE_IDENTITY", ())


# Addresses


@pytest.mark.parametrize(
    ("address", "identity_"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::5", "2001:db8::/64"),
        ("192.168.1.1", None),
        ("::1", None),
        (" ", None),
        (" Proxy-1 ", "proxy-1"),
    ],
)
def test_an_address_stands_for_a_household(address: str, identity_: str | None) -> None:
    assert identity_of(address) == identity_


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ("abc", "abc", False),
        ("abc", "abd", True),
        ("abc", "ab", True),
        ("abc", "xabc", True),
        ("abcd", "acbd", True),
        ("abcd", "badc", False),
        ("abc", "abcde", False),
        ("", "a", True),
    ],
)
def test_one_mistake_apart(first: str, second: str, *, apart: bool) -> None:
    assert one_apart(first, second) == one_apart(second, first) == apart


def test_an_odd_address_breaks_no_rule() -> None:
    odd = ["", "@", "a@", "@b", "+@gmail.com", "...@gmail.com", "a@b@c", "\u202e@x.example"]

    for email in odd:
        others = siblings(*(each for each in odd if each != email))
        judged(evidence(person(email), referrer=referrer("x@gmail.com"), siblings=others))
        assert not look_alike(mailbox_of(email), mailbox_of(email))


# Traits


def test_a_trait_keeps_the_newest_and_nobody_twice() -> None:
    trait = Trait(campaign_id="c", trait_hash="h")

    for number in range(MOST_SIGHTINGS + 2):
        trait = trait.including(Sighting(number, f"p{number}", None))
    trait = trait.including(Sighting(999, "p50", "ref"))

    assert len(trait.sightings) == MOST_SIGHTINGS
    assert trait.sightings[0].participant_id == "p2"
    assert [each for each in trait.sightings if each.participant_id == "p50"] == [
        Sighting(999, "p50", "ref")
    ]


def test_whoever_leaves_is_taken_out_of_a_trait() -> None:
    trait = Trait(campaign_id="c", trait_hash="h").including(Sighting(1, "p1", None))

    assert trait.without("p1").seen == ()
