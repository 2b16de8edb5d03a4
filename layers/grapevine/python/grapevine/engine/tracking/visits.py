"""Who looks at a link: a person or a machine, and the hashes that a person is counted by.

A visitor is known by the id that its browser keeps. Without one, address and user agent stand for
it, and the id that it is then given is made of them: with the cookie and without it is the same
visitor. Nothing that is stored leads back to an address: everything is hashed with a secret of the
campaign. In GDPR mode an address is not looked at at all.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from grapevine.engine.tracking.rules import COUNTS_OF_AN_ADDRESS, COUNTS_WITHOUT_ADDRESSES

_LONGEST_USER_AGENT = 512
_UNSEEN = ("prefetch", "prerender", "preview")


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request tells of whoever sent it; never logged. `purpose` is what the browser says
    that it loads the page for, when nobody looks at it yet."""

    address: str
    user_agent: str
    purpose: str = ""
    visitor_id: str | None = None

    @property
    def is_by_a_person(self) -> bool:
        """Known crawlers, tools and link previews say who they are; a browser always does."""
        if any(word in self.purpose.lower() for word in _UNSEEN):
            return False
        agent = self.user_agent.strip()[:_LONGEST_USER_AGENT]
        return bool(agent) and not _is_crawler()(agent)


@functools.cache
def _is_crawler() -> Callable[[str], bool]:
    # Loaded on first use: its patterns take a while to compile.
    from crawlerdetect import CrawlerDetect

    return CrawlerDetect().is_crawler  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Identity:
    """`visitor_id` is for the visitor's cookie, the hashes are for the table."""

    visitor_id: str
    visitor_hash: str
    source_hash: str
    source_limit: int


def identify(visit: Visit, salt: str, participant_id: str, *, stores_addresses: bool) -> Identity:
    """By what the visitor of a participant's link is counted. Without addresses, one that keeps no
    cookie is a new one each time, and what is bounded is the participant's link as a whole."""
    if stores_addresses:
        visitor_id = visit.visitor_id or _hash(salt, "visitor", visit.address, visit.user_agent)
        source_hash, limit = _hash(salt, "address", _network(visit.address)), COUNTS_OF_AN_ADDRESS
    else:
        visitor_id = visit.visitor_id or secrets.token_hex(16)
        source_hash, limit = _hash(salt, "participant", participant_id), COUNTS_WITHOUT_ADDRESSES
    return Identity(visitor_id, _hash(salt, "cookie", visitor_id), source_hash, limit)


def _hash(salt: str, *parts: str) -> str:
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return hmac.new(salt.encode(), text, hashlib.sha256).hexdigest()[:32]


def _network(address: str) -> str:
    """One household has a whole /64 of IPv6 addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64 if found.version == 6 else 32), strict=False))
