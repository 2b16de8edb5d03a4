"""`grapevine rebuild`: computes a campaign's projections anew and prints what was wrong."""

from __future__ import annotations

import argparse
import sys
from typing import TextIO

from grapevine import runtime
from grapevine.engine.rebuild.campaign import rebuild
from grapevine.errors import NotFound
from local import target

_UNKNOWN_CAMPAIGN = 2
_WIDTH = 30


def run(options: argparse.Namespace) -> int:
    """0 when the campaign's projections are right now, whatever was wrong with them; 2 when there
    is no such campaign.

    Raises:
        Busy, Refused
    """
    bar = Bar(sys.stderr)
    try:
        with runtime.using(target.runtime_of(options)):
            findings = rebuild(options.campaign, bar.show)
    except NotFound as error:
        print(f"grapevine: {error}", file=sys.stderr)
        return _UNKNOWN_CAMPAIGN
    finally:
        bar.clear()
    print("\n".join(findings.lines()) or "nothing was wrong")
    return 0


class Bar:
    """A line that says how far each step is; nothing unless `stream` is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._is_shown = stream, stream.isatty()

    def show(self, step: str, done: int, of: int) -> None:
        if self._is_shown:
            full = _WIDTH * done // of if of else _WIDTH
            bar = "#" * full + "." * (_WIDTH - full)
            self._write(f"{step:<24} [{bar}] {done:,} of {of:,}")

    def clear(self) -> None:
        if self._is_shown:
            self._write("")

    def _write(self, text: str) -> None:
        # Back to the beginning of the line, and whatever was there is erased.
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()
