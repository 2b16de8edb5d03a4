"""Block and allow lists: what an entry matches, and what a list is worth among other findings."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from grapevine.engine.fraud.emails import look_alike, mailbox_of
from grapevine.engine.fraud.patterns import (
    EmailList,
    IpList,
    Lists,
    email_pattern,
    ip_pattern,
)
from grapevine.engine.fraud.settings import lists_in
from grapevine.engine.fraud.verdict import judged
from grapevine.table.fraud import FraudList, ListName
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


@pytest.mark.parametrize(
    ("entry", "email", "matches"),
    [
        ("john.doe@gmail.com", "john.doe@gmail.com", True),
        ("john.doe@gmail.com", "johndoe@gmail.com", True),
        ("john.doe@gmail.com", "J.ohn.Doe+2@googlemail.com", True),
        ("john.doe@gmail.com", "johndoes@gmail.com", False),
        ("john.doe@one.example", "johndoe@one.example", False),
        ("spam+1@one.example", "spam@one.example", True),
        ("spam+1@one.example", "spam+2@one.example", True),
        ("spam+1@one.example", "spam1@one.example", False),
        ("evil@googlemail.com", "evil@gmail.com", True),
        ("evil@googlemail.com", "e.vil+x@googlemail.com", True),
        ("googlemail.com", "a@gmail.com", True),
        ("gmail.com", "a@googlemail.com", True),
        ("gmail.com", "a@one.example", False),
        ("@googlemail.com", "a@gmail.com", True),
        ("evil*@googlemail.com", "evil7@gmail.com", True),
        ("evil*@gmail.com", "evil7@googlemail.com", True),
        ("evil*@gmail.com", "e.vil7@gmail.com", True),
        ("evil+*@googlemail.com", "evil+7@googlemail.com", True),
        ("evil@google*", "evil@googlemail.com", True),
        ("google*", "evil@googlemail.com", True),
    ],
)
def test_a_blocked_entry_blocks_the_mailbox_it_stands_for(
    entry: str, email: str, *, matches: bool
) -> None:
    blocked = EmailList.of([email_pattern(entry)])

    assert blocked.match_mailbox(email) == (email_pattern(entry) if matches else None)


def test_an_allow_list_lets_in_what_is_written_on_it_and_no_other_spelling() -> None:
    lists = Lists(allowed_emails=EmailList.of(["john.doe@gmail.com", "spam+1@one.example"]))

    reasons = [
        judged(evidence(person(email), lists=lists)).code
        for email in ("John.Doe@gmail.com", "johndoe@gmail.com", "spam@one.example")
    ]

    assert reasons == ["WHITELISTED", "UNIQUE_IDENTITY", "UNIQUE_IDENTITY"]


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


def lists_of(campaign_id: str, **entries: tuple[str, ...]) -> Lists:
    """As a request makes them ready of what it has read."""
    stored = [
        FraudList(campaign_id=campaign_id, name=cast("ListName", name), version=1, entries=each)
        for name, each in entries.items()
    ]
    return lists_in({one.key: one.to_item() for one in stored}, campaign_id)


def test_a_list_is_made_ready_once_and_a_changed_one_again() -> None:
    first = lists_of("one", blockedEmails=("a@x.example",), blockedIps=("203.0.113.0/24",))
    again = lists_of("one", blockedEmails=("a@x.example",), blockedIps=("203.0.113.0/24",))
    changed = lists_of("one", blockedEmails=("b@x.example",), blockedIps=("198.51.100.0/24",))

    assert again.blocked_emails is first.blocked_emails
    assert again.blocked_ips is first.blocked_ips
    assert changed.blocked_emails.match("a@x.example") is None
    assert changed.blocked_emails.match("b@x.example") == "b@x.example"
    assert changed.blocked_ips.match(IP) is None
