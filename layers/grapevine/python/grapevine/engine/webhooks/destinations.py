"""Where webhooks may go: to public addresses over https, and nowhere else.

A webhook's URL is chosen by a customer and called from inside the account, so it must not reach
what only the inside can reach. The check is made on the addresses that a name resolves to, at
each attempt, and the connection goes to the checked addresses: a name that answers differently a
moment later changes nothing.

The one exception is for the local stack, whose receivers run on the same machine: hosts that are
named in `local_hosts` may be loopback addresses, speak plain http and use any port.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host name, for a port, as text."""

LONGEST_URL = 2048
_DEFAULT_PORTS = {"https": 443, "http": 80}
_FIRST_UNPRIVILEGED_PORT = 1024
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_ALLOWED_IN_TARGET = "%/?:@!$&'()*+,;=~"

_NOT_PUBLIC_IPV4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (CGNAT)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with the metadata and credential services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_IPV6 = ip_network("2000::/3")
"""All that is assigned for public use. Outside lie loopback, link-local, unique local (with the
metadata service), multicast, and the forms that embed an IPv4 address: mapped and NAT64."""
_NOT_PUBLIC_IPV6 = tuple(
    ip_network(block)
    for block in (
        "2001::/23",  # protocol assignments, with Teredo, which embeds IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which embeds IPv4
        "3fff::/20",  # documentation
    )
)


class RefusedDestination(ValueError):
    """`args[0]` says which rule the destination breaks; it never tells an address."""


class NotPublic(RefusedDestination):
    """The destination leads to an address that is not public, or hides which it leads to."""


class UnresolvedHost(Exception):
    """The name has no address now; it may have one later."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that may be called if its addresses are public.

    `host` is a name in ASCII or an address without brackets, `target` is what stands in the
    request line, and `local` says that the host is one of the named local ones.
    """

    scheme: str
    host: str
    port: int
    target: str
    local: bool

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str, local_hosts: Container[str] = ()) -> Destination:
    """The destination that a URL names, as far as can be said without resolving its host.

    Raises:
        RefusedDestination
    """
    destination = _read(url, local_hosts)
    if not destination.local:
        _check_public(destination)
    return destination


def leads_inside(url: str, local_hosts: Container[str], resolve: Resolve) -> bool:
    """Whether a URL leads to an address that is not public, whatever else is wrong with it."""
    try:
        checked_addresses(_read(url, local_hosts), resolve)
    except NotPublic:
        return True
    except (RefusedDestination, UnresolvedHost):
        return False
    return False


def _read(url: str, local_hosts: Container[str]) -> Destination:
    if len(url) > LONGEST_URL:
        raise RefusedDestination(f"The URL is longer than {LONGEST_URL} characters.")
    if not url.isprintable() or any(character in " \\" for character in url):
        raise RefusedDestination("The URL contains characters that a URL cannot have.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise RefusedDestination("The URL cannot be read.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise RefusedDestination("The URL must begin with https://.")
    if "@" in parts.netloc:
        raise RefusedDestination("The URL must not contain a user name or password.")
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if not authority:
        raise RefusedDestination("The URL has no host or a wrong port.")
    host = _host(authority["host"])
    port = int(authority["port"] or _DEFAULT_PORTS[parts.scheme])
    if not 0 < port < 2**16:
        raise RefusedDestination("The URL has no host or a wrong port.")
    query = f"?{parts.query}" if parts.query else ""
    target = quote((parts.path or "/") + query, safe=_ALLOWED_IN_TARGET)
    return Destination(parts.scheme, host, port, target, local=host in local_hosts)


def checked_addresses(destination: Destination, resolve: Resolve) -> tuple[str, ...]:
    """The addresses that may be connected to, in the order in which the name gives them.

    One address that is not allowed refuses the whole name: what resolves to both is an attempt to
    get in, or will sooner or later be called where it should not.

    Raises:
        RefusedDestination
        UnresolvedHost
    """
    literal = _literal(destination.host)
    answers = [literal] if literal else _resolved(destination, resolve)
    for address in answers:
        if not (address.is_loopback if destination.local else is_public(address)):
            raise NotPublic("The host has an address that is not public.")
    return tuple(dict.fromkeys(str(address) for address in answers))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address belongs to a host of the public internet, and embeds no other address.

    The registries are those of IANA's special-purpose addresses; the standard library's own
    answer differs from release to release.
    """
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in block for block in _NOT_PUBLIC_IPV6)


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise RefusedDestination("The URL's host is not an address.") from None
    host = _ascii(text).lower().removesuffix(".")
    if not _NAME.fullmatch(host):
        raise RefusedDestination("The URL's host is not a name.")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            # 2130706433, 0177.0.0.1, 0x7f.1 and 127.1 are all 127.0.0.1 to some resolver.
            raise NotPublic("The URL's host is a number, not a name.") from None
    return host


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    # Comes with email-validator; loaded on first use, since few hosts need it.
    import idna

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise RefusedDestination("The URL's host is not a name.") from None


def _check_public(destination: Destination) -> None:
    literal = _literal(destination.host)
    if literal and not is_public(literal):
        raise NotPublic("The host has an address that is not public.")
    if not literal and "." not in destination.host:
        raise RefusedDestination("The URL's host must be a full domain name.")
    if destination.scheme != "https":
        raise RefusedDestination("The URL must begin with https://.")
    if destination.port != 443 and destination.port < _FIRST_UNPRIVILEGED_PORT:
        raise RefusedDestination("The URL's port must be 443 or at least 1024.")


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _resolved(destination: Destination, resolve: Resolve) -> list[IPv4Address | IPv6Address]:
    answers = [ip_address(answer) for answer in resolve(destination.host, destination.port)]
    if not answers:
        raise UnresolvedHost(destination.host)
    return answers
