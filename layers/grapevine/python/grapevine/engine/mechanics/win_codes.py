"""Codes: four characters of the campaign's slug, a hyphen, and characters nobody mistakes.

A win's code follows from the account's code secret and the event, a batch's from that secret, the
batch and its number, so that what is done again gives the same ones. That secret is never
published, unlike the draw's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from itertools import count, islice

from grapevine.engine.mechanics.parts import WinCode

_PREFIX_LENGTH = 4
_OF_BATCHES = WinCode()


def prefix_of(slug: str) -> str:
    """`summer-promo` gives SUMM, `a-b` ABXX."""
    letters = "".join(each for each in slug if each.isalnum())
    return letters[:_PREFIX_LENGTH].upper().ljust(_PREFIX_LENGTH, "X")


def win_code(secret: str, slug: str, event_id: str, attempt: int, form: WinCode) -> str:
    """An event's code; the next `attempt` (from 0) where that one is taken."""
    stream = _bytes(bytes.fromhex(secret), f"code|{event_id}|{attempt}")
    return f"{prefix_of(slug)}-{_word(stream, form)}"


def batch_code(secret: str, prefix: str, batch_id: str, number: int, attempt: int) -> str:
    """The code of a number in a batch; the next `attempt` (from 0) where that one is taken. Its
    form is always the same, whatever is configured meanwhile."""
    stream = _bytes(bytes.fromhex(secret), f"batch|{batch_id}|{number}|{attempt}")
    return f"{prefix}-{_word(stream, _OF_BATCHES)}"


def normalised(code: str) -> str:
    """A code as it was made, from how somebody has typed it."""
    return code.strip().upper()


def hash_of_code(secret: str, code: str) -> str:
    """How a code is known to the table, which does not tell it."""
    text = f"hash|{normalised(code)}"
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()


def _bytes(key: bytes, text: str) -> Iterator[int]:
    for block in count():
        yield from hmac.new(key, f"{text}|{block}".encode(), hashlib.sha256).digest()


def _word(stream: Iterator[int], form: WinCode) -> str:
    size = len(form.alphabet)
    # Bytes that would favour the first characters are passed over.
    fair = (each for each in stream if each < 256 // size * size)
    return "".join(form.alphabet[each % size] for each in islice(fair, form.length))
