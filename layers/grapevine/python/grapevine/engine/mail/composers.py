"""Who writes the e-mails of which kind."""

from __future__ import annotations

from collections.abc import Mapping

from grapevine.engine.mail import invite, program
from grapevine.engine.mail.content import Composer

COMPOSERS: Mapping[str, Composer] = {
    "invite": invite.compose,
    "program": program.compose,
    "freeform": program.compose_freeform,
}
"""By `Mail.kind`. A mail of a kind without a composer is a defect."""
