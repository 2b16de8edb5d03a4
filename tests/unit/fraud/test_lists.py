"""Block and allow lists: what an entry matches, and what a list is worth among other findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grapevine.engine.fraud.emails import look_alike, mailbox_of
from grapevine.engine.fraud.patterns import (
    EmailList,
    IpList,
    Lists,
    email_pattern,
    ip_pattern,
)
from grapevine.engine.fraud.verdict import judged
from tests.unit.fraud.test_rules import IP, device, evidence, person, referrer, siblings


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


def test_an_odd_address_breaks_no_rule() -> None:
    odd = ["", "@", "a@", "@b", "+@gmail.com", "...@gmail.com", "a@b@c", "\u202e@x.example"]

    for email in odd:
        others = siblings(*(each for each in odd if each != email))
        judged(evidence(person(email), referrer=referrer("x@gmail.com"), siblings=others))
        assert not look_alike(mailbox_of(email), mailbox_of(email))
