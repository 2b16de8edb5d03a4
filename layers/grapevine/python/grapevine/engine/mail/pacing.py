"""How fast runs ask for e-mails: one pace for those of all campaigns.

Runs take stretches of time one after the other, as long as their e-mails take at the configured
rate. Nobody takes one that begins more than a minute from now, nor while the mail queue holds more
than a minute's e-mails. So there is never more than about two minutes of them in the queue, however
many participants and campaigns there are, and e-mails of other kinds go out between them.

Dying after a stretch was taken leaves it unused; that costs its seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine import messages
from grapevine.engine.attempts import attempts
from grapevine.engine.mail.transitions import REDRIVE_MS
from grapevine.table import email_keys, store
from grapevine.table.mail_runs import MailPace
from grapevine.table.writes import ABSENT, version

AHEAD_MS = 60 * 1000
SWEPT_AFTER_MS = REDRIVE_MS
"""How long after its stretch the sweep takes an e-mail of a run up, should its message be lost."""

_SAME_SWEEP_MS = 20 * 1000
_SPREAD_MS = 30 * 1000


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `begins_at` (ms) on, `rate` e-mails a second."""

    begins_at: int
    rate: int

    def begin_of(self, index: int) -> int:
        """When the e-mail with that number, from 0, may go out."""
        return self.begins_at + index * 1000 // self.rate


def is_queue_full() -> bool:
    """Whether more wait in the mail queue than go out in a minute."""
    settings = runtime.settings()
    return messages.count_waiting(settings.mail_queue_url) > settings.mail_run_rate * 60


def take(count: int) -> Stretch | None:
    """The next stretch for so many e-mails; None when it would begin too far ahead.

    Raises:
        Busy
    """
    rate = runtime.settings().mail_run_rate
    for _ in attempts():
        item = store.get(email_keys.mail_pace())
        before = MailPace.from_item(item) if item else None
        now = runtime.now_ms()
        begins_at = max(now, before.free_from if before else 0)
        if begins_at >= now + AHEAD_MS:
            return None
        stretch = Stretch(begins_at, rate)
        after = MailPace(
            version=before.version + 1 if before else 0, free_from=stretch.begin_of(count)
        )
        if store.put(after.to_item(), version(before.version) if before else ABSENT):
            return stretch
    raise AssertionError("attempts() ends by raising Busy")


def next_turn() -> int:
    """When a run whose turn is over is due (ms): not for the sweep that is under way but for the
    next one, and in an order that is drawn anew each time, so that no run is always the last."""
    drawn = int(_SPREAD_MS * random.random())  # noqa: S311 - a draw, not a secret
    return runtime.now_ms() + _SAME_SWEEP_MS + drawn
