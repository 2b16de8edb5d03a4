"""E-mail addresses as mailboxes and as pictures: which are the same, and which only look it."""

from __future__ import annotations

import functools
import unicodedata
from typing import NamedTuple

from grapevine.table.participants import normalise_email

PUBLIC_PROVIDERS = frozenset(
    f"{name}.{ending}"
    for name, endings in {
        "gmail": "com",
        "googlemail": "com",
        "yahoo": "com co.uk co.in co.jp fr de es it ca com.br com.au",
        "ymail": "com",
        "rocketmail": "com",
        "outlook": "com de fr es it jp",
        "hotmail": "com co.uk fr de es it",
        "live": "com co.uk fr nl",
        "msn": "com",
        "icloud": "com",
        "me": "com",
        "mac": "com",
        "aol": "com",
        "proton": "me",
        "protonmail": "com ch",
        "pm": "me",
        "gmx": "com de net at ch",
        "web": "de",
        "t-online": "de",
        "freenet": "de",
        "mail": "com ru",
        "yandex": "com ru",
        "qq": "com",
        "163": "com",
        "126": "com",
        "sina": "com",
        "naver": "com",
        "zoho": "com",
        "fastmail": "com",
        "tutanota": "com",
        "orange": "fr",
        "free": "fr",
        "laposte": "net",
        "libero": "it",
        "comcast": "net",
        "verizon": "net",
        "att": "net",
        "uol": "com.br",
        "rediffmail": "com",
    }.items()
    for ending in endings.split()
)
"""Where anybody gets an address: sharing one of these domains says nothing."""

_DOTS_DO_NOT_COUNT = frozenset({"gmail.com"})
_SAME_DOMAIN = {"googlemail.com": "gmail.com"}

# Letters of other scripts that look Latin, digits that look like letters, and letters that look
# like each other.
_LOOKS_LIKE = str.maketrans(
    "авеікмнопрстухѕјαεικνορτυχ0134578il|",  # noqa: RUF001 - look-alikes are what it is about
    "abelkmhonpctyxsjaelkvoptuxoleastblll",
)


class Mailbox(NamedTuple):
    """The part before the `@` and the domain, as they count: where mail really goes."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def mailbox_of(email: str) -> Mailbox:
    """The mailbox behind an address: without what stands behind a `+`, and without dots where the
    provider takes them for nothing."""
    local, _, domain = normalise_email(email).rpartition("@")
    domain = _SAME_DOMAIN.get(domain, domain)
    plain = local.split("+", 1)[0] or local
    if domain in _DOTS_DO_NOT_COUNT:
        plain = plain.replace(".", "") or plain
    return Mailbox(plain, domain)


def names_of_domain(domain: str) -> tuple[str, ...]:
    """The domain of a mailbox, and the others that lead to the same mailboxes."""
    return (domain, *(other for other, same in _SAME_DOMAIN.items() if same == domain))


def stem_of(mailbox: Mailbox) -> str:
    """The letters of the local part: what is left of `anna.01` and `anna-2`."""
    return "".join(character for character in mailbox.local if character.isalpha())


@functools.lru_cache(maxsize=512)
def picture_of(text: str) -> str:
    """The text as the eye takes it in: `pau1` is `paul`, also with a Cyrillic letter in it."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(each for each in folded if not unicodedata.combining(each))
    return plain.translate(_LOOKS_LIKE).replace("rn", "m").replace("vv", "w")


def one_apart(first: str, second: str) -> bool:
    """Whether one insertion, deletion or replacement, or one exchange of two neighbours, makes one
    of the other; not when they are equal."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    left, right = first[start:], second[start:]
    if len(left) == len(right):
        exchanged = left[:2] == right[1::-1] and left[2:] == right[2:]
        return left[1:] == right[1:] or exchanged
    return left[1:] == right or left == right[1:]


def look_alike(first: Mailbox, second: Mailbox) -> bool:
    """Whether two mailboxes differ, but hardly to the eye.

    One typing mistake apart counts at public providers only: in a company `jsmith` and `ksmith` are
    two people.
    """
    if first == second or min(len(first.local), len(second.local)) < _SHORTEST:
        return False
    if picture_of(first.domain) != picture_of(second.domain):
        return False
    if picture_of(first.local) == picture_of(second.local):
        return True
    return (
        first.domain in PUBLIC_PROVIDERS
        and min(len(first.local), len(second.local)) >= _SHORTEST_MISTYPED
        and one_apart(first.local, second.local)
    )


_SHORTEST = 4
"""Of local parts that can look alike: `al` and `a1` are chance."""

_SHORTEST_MISTYPED = 6


def is_burner(domain: str) -> bool:
    """Whether addresses of the domain, or of one above it, are made to be thrown away."""
    # Loaded on first use: only campaigns that ask for it pay for the list.
    from disposable_email_domains import blocklist

    labels = domain.split(".")
    return any(".".join(labels[place:]) in blocklist for place in range(len(labels) - 1))
