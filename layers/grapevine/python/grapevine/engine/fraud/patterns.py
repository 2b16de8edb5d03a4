"""Allow and block lists: patterns of e-mail addresses, domains and IP addresses.

An e-mail pattern with an `@` is about addresses, one without about domains. An IP pattern is an
address, a network (CIDR), or text. In all but networks, `*` stands for anything, also nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grapevine.engine.fraud.emails import mailbox_of, names_of_domain
from grapevine.table.participants import normalise_email

MOST_ENTRIES = 10_000
LONGEST_ENTRY = 100

_EMAIL = re.compile(r"[^\s@,;<>()\[\]\"\\]*@[^\s@,;<>()\[\]\"\\]*|[^\s@,;<>()\[\]\"\\]+")
_IP_TEXT = re.compile(r"[0-9.*]+|[0-9a-f:*]+")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TELL_NOTHING = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/127",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Addresses inside a machine or a network: they say nothing of who is behind them."""


def email_pattern(text: str) -> str:
    """The pattern as it is stored. Raises ValueError for anything else."""
    pattern = text.strip().casefold()
    if not pattern.isprintable() or not _EMAIL.fullmatch(pattern) or pattern in {"@", "*", "*@*"}:
        raise ValueError("Must be an email address, a domain, or a pattern of one with *.")
    return f"*{pattern}" if pattern.startswith("@") else pattern


def ip_pattern(text: str) -> str:
    """The pattern as it is stored. Raises ValueError."""
    pattern = text.strip().lower()
    if "*" in pattern:
        if _IP_TEXT.fullmatch(pattern) and pattern.strip("*.:"):
            return pattern
    else:
        try:
            network = ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            pass
        else:
            return str(network) if "/" in pattern else str(_plain(network.network_address))
    raise ValueError("Must be an IP address, a network like 203.0.113.0/24, or 203.0.113.*.")


def address_in(text: str) -> Address | None:
    """The IP address that a text is; None for anything else."""
    try:
        return _plain(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def identity_of(ip_address: str) -> str | None:
    """What of an IP address is one household: an IPv4 address, the first half of an IPv6 one; text
    that is no address as it came. None where it tells nothing of who is behind it."""
    address = address_in(ip_address)
    if address is None:
        return ip_address.strip().casefold() or None
    if any(address in network for network in _TELL_NOTHING):
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _matches(parts: tuple[str, ...], text: str) -> bool:
    """Whether a text begins with the first part, ends with the last and has the others between, in
    their order. It takes time in proportion to the text, whatever the pattern."""
    first, *middle, last = parts
    if not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return place <= end


@dataclass(frozen=True, slots=True)
class Patterns:
    """A list made ready for matching: what is equal at once, and what has a `*` in it."""

    plain: frozenset[str] = frozenset()
    globs: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Patterns:
        plain, globs = set(), []
        for entry in entries:
            if "*" in entry:
                globs.append((entry, tuple(entry.split("*"))))
            else:
                plain.add(entry)
        return cls(frozenset(plain), tuple(globs))

    def match(self, *texts: str) -> str | None:
        """The entry that one of the texts matches."""
        for text in texts:
            if text in self.plain:
                return text
        return next(
            (entry for entry, parts in self.globs for text in texts if _matches(parts, text)), None
        )


@dataclass(frozen=True, slots=True)
class EmailList:
    """`mailboxes` has the addresses that are written otherwise than the mailbox they stand for, by
    that mailbox."""

    addresses: Patterns = Patterns()
    domains: Patterns = Patterns()
    mailboxes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[str]) -> EmailList:
        known = list(entries)
        addresses = Patterns.of(each for each in known if "@" in each)
        canonical = {str(mailbox_of(entry)): entry for entry in addresses.plain}
        return cls(
            addresses,
            Patterns.of(each for each in known if "@" not in each),
            {mailbox: entry for mailbox, entry in canonical.items() if mailbox != entry},
        )

    def match(self, email: str) -> str | None:
        """The entry that an address matches, as it is written."""
        address = normalise_email(email)
        return self.addresses.match(address) or self.domains.match(address.rpartition("@")[2])

    def match_mailbox(self, email: str) -> str | None:
        """The entry that an address matches, as it is written or as the mailbox it stands for, by
        any of the names of its domain. An entry with a `*` is text and stands for no mailbox."""
        mailbox = mailbox_of(email)
        domains = names_of_domain(mailbox.domain)
        parts = dict.fromkeys((normalise_email(email).rpartition("@")[0], mailbox.local))
        return (
            self.match(email)
            or self.mailboxes.get(str(mailbox))
            or self.addresses.match(*(f"{local}@{each}" for local in parts for each in domains))
            or self.domains.match(*domains)
        )


@dataclass(frozen=True, slots=True)
class IpList:
    texts: Patterns = Patterns()
    networks: Mapping[tuple[int, int], frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[str]) -> IpList:
        known = list(entries)
        networks: dict[tuple[int, int], set[int]] = {}
        for entry in known:
            if "/" in entry:
                network = ipaddress.ip_network(entry)
                place = (network.version, network.prefixlen)
                networks.setdefault(place, set()).add(int(network.network_address))
        return cls(
            Patterns.of(each for each in known if "/" not in each),
            {place: frozenset(numbers) for place, numbers in networks.items()},
        )

    def match(self, ip_address: str) -> str | None:
        """The entry that an address matches."""
        address = address_in(ip_address)
        if address is None:
            return self.texts.match(ip_address.strip().lower())
        for version, length in self.networks:
            if version != address.version:
                continue
            network = ipaddress.ip_network((address, length), strict=False)
            if int(network.network_address) in self.networks[version, length]:
                return str(network)
        return self.texts.match(str(address))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    blocked_emails: EmailList = EmailList()
    allowed_emails: EmailList = EmailList()
    blocked_ips: IpList = IpList()
    allowed_ips: IpList = IpList()


NOBODY = Lists()
"""Empty lists."""
