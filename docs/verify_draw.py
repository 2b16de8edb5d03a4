"""Checks a draw of an instant win that has been published. Needs Python and nothing else.

    python verify_draw.py COMMITMENT SECRET CAMPAIGN_ID EVENT_ID TIER=ODDS [TIER=ODDS ...]
    python verify_draw.py moment COMMITMENT SECRET CAMPAIGN_ID VERSION TIER NUMBER START END

COMMITMENT was published before the first draw, SECRET after the campaign's end: those with the
number that the event names, if the campaign went on after an end. The tiers with
their odds in parts of a million stand in the order of the configuration that was in force when the
event was judged: the event names its version. Prints the draw and the tier that it hits.

Where prizes are hidden in time, an event that has won one names its moment: unit NUMBER of the
prizes of TIER that VERSION of the mechanics has hidden from START to END. Prints when it was.

Ends with 1 if the secret is not the one that the commitment promised, 2 if it was asked wrongly.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from datetime import UTC, datetime, timedelta

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


def moment_of(
    secret: str, campaign_id: str, version: int, tier: str, number: int, span: tuple[int, int]
) -> int:
    """When the prize could be won, in milliseconds since 1970, as the span it lies in (both ends
    included): HMAC-SHA256 of `moment|<campaign>|<version>|<tier>|<number>`, as one number modulo
    the span's length, after its start."""
    text = f"moment|{campaign_id}|{version}|{tier}|{number}"
    digest = hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).digest()
    start, end = span
    return start + int.from_bytes(digest, "big") % (end - start + 1)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def _milliseconds(time: str) -> int:
    return (datetime.fromisoformat(time) - EPOCH) // MILLISECOND


def _time(milliseconds: int) -> str:
    text = (EPOCH + milliseconds * MILLISECOND).isoformat(timespec="milliseconds")
    return text.replace(".000+00:00", "Z").replace("+00:00", "Z")


def _tiers(arguments: list[str]) -> list[tuple[str, int]]:
    return [(tier, int(odds)) for tier, _, odds in (each.rpartition("=") for each in arguments)]


def _is_promised(commitment: str, secret: str) -> bool:
    promised = commitment_of(secret)
    if commitment.removeprefix("sha256:") == promised.removeprefix("sha256:"):
        return True
    sys.stdout.write(f"The secret is not the one that was promised: its hash is {promised}\n")
    return False


def _draw(commitment: str, secret: str, campaign_id: str, event_id: str, *odds: str) -> int:
    tiers = _tiers(list(odds))
    if not _is_promised(commitment, secret):
        return 1
    draw = draw_of(secret, campaign_id, event_id)
    tier = tier_of(draw, tiers)
    sys.stdout.write(f"The draw is {draw}: {f'it hits {tier}' if tier else 'it hits no tier'}.\n")
    return 0


def _moment(commitment: str, secret: str, campaign_id: str, version: str, *unit: str) -> int:
    tier, number, start, end = unit
    span = _milliseconds(start), _milliseconds(end)
    if span[0] > span[1]:
        raise ValueError(span)
    asked = campaign_id, int(version), tier, int(number)
    if not _is_promised(commitment, secret):
        return 1
    sys.stdout.write(f"The moment is {_time(moment_of(secret, *asked, span))}\n")
    return 0


def main(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["moment"]:
            return _moment(*arguments[1:])
        return _draw(*arguments)
    except (TypeError, ValueError):
        sys.stderr.write(__doc__ or "")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
