"""The draw: a number that follows from the campaign's secret and the event, so that nobody can
draw again, and that anybody can check once the secret is published.

`docs/verify_draw.py` does the same without Grapevine; a test compares the two.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from grapevine.engine.mechanics.parts import PPM

_WORD_BYTES = 4
_FAIR = 2**32 // PPM * PPM
"""Words from here on are passed over: with them the first numbers would come more often."""


def new_secret() -> str:
    """A campaign's draw secret: 32 random bytes, hexadecimal."""
    return secrets.token_hex(32)


def commitment(secret: str) -> str:
    """What is published before the first draw: it fixes the secret and does not tell it."""
    return f"sha256:{hashlib.sha256(bytes.fromhex(secret)).hexdigest()}"


def draw_value(secret: str, campaign_id: str, event_id: str) -> int:
    """The event's number from 0 to 999,999, each as likely as any other."""
    key = bytes.fromhex(secret)
    text = f"draw|{campaign_id}|{event_id}"
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    while True:
        for start in range(0, len(digest), _WORD_BYTES):
            word = int.from_bytes(digest[start : start + _WORD_BYTES], "big")
            if word < _FAIR:
                return word % PPM
        digest = hmac.new(key, digest, hashlib.sha256).digest()
