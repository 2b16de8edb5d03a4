"""Checks a draw of an instant win that has been published. Needs Python and nothing else.

    python verify_draw.py COMMITMENT SECRET CAMPAIGN_ID EVENT_ID TIER=ODDS [TIER=ODDS ...]

COMMITMENT was published before the first draw, SECRET after the campaign's end: those with the
number that the event names, if the campaign went on after an end. The tiers with
their odds in parts of a million stand in the order of the configuration that was in force when the
event was judged: the event names its version. Prints the draw and the tier that it hits, and ends
with 1 if the secret is not the one that the commitment promised, 2 if it was asked wrongly.
"""

from __future__ import annotations

import hashlib
import hmac
import sys

MILLION = 1_000_000
FAIR = 2**32 // MILLION * MILLION


def commitment_of(secret: str) -> str:
    """The SHA-256 of the secret's bytes."""
    return "sha256:" + hashlib.sha256(bytes.fromhex(secret)).hexdigest()


def draw_of(secret: str, campaign_id: str, event_id: str) -> int:
    """The event's number from 0 to 999,999.

    HMAC-SHA256 of `draw|<campaign>|<event>` is cut into words of four bytes; the first word below
    4,294,000,000 counts, modulo a million. Should none of the eight be, the HMAC of those 32 bytes
    is cut up in the same way, and so on.
    """
    key = bytes.fromhex(secret)
    block = hmac.new(key, f"draw|{campaign_id}|{event_id}".encode(), hashlib.sha256).digest()
    while True:
        for start in range(0, 32, 4):
            word = int.from_bytes(block[start : start + 4], "big")
            if word < FAIR:
                return word % MILLION
        block = hmac.new(key, block, hashlib.sha256).digest()


def tier_of(draw: int, tiers: list[tuple[str, int]]) -> str | None:
    """The first tier whose share the draw falls into; None is a loss."""
    end = 0
    for tier, odds in tiers:
        end += odds
        if draw < end:
            return tier
    return None


def _tiers(arguments: list[str]) -> list[tuple[str, int]]:
    return [(tier, int(odds)) for tier, _, odds in (each.rpartition("=") for each in arguments)]


def main(arguments: list[str]) -> int:
    try:
        commitment, secret, campaign_id, event_id, *odds = arguments
        tiers = _tiers(odds)
        promised = commitment_of(secret)
    except ValueError:
        sys.stderr.write(__doc__ or "")
        return 2
    if commitment.removeprefix("sha256:") != promised.removeprefix("sha256:"):
        sys.stdout.write(f"The secret is not the one that was promised: its hash is {promised}\n")
        return 1
    draw = draw_of(secret, campaign_id, event_id)
    tier = tier_of(draw, tiers)
    sys.stdout.write(f"The draw is {draw}: {f'it hits {tier}' if tier else 'it hits no tier'}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
