"""What an e-mail says, and what is known when it is written.

A composer writes the e-mails of one kind; `grapevine.engine.mail.composers` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grapevine.engine.mail.settings import EmailSettings
from grapevine.table.campaigns import Campaign
from grapevine.table.mail import Mail, MailText
from grapevine.table.participants import Profile


@dataclass(frozen=True, slots=True)
class Content:
    """A subject of one line, and the message twice: `html` is what goes into a body, well-formed
    and with all user data escaped. The envelope adds the frame, the headers, and the foot (company
    address and unsubscribe link) where the message does not have it already (`has_foot`)."""

    subject: str
    html: str
    text: str
    has_foot: bool = False


@dataclass(frozen=True, slots=True)
class Occasion:
    """`profile` is the participant that the mail names: who gets it, or who invites. `text` is
    there when the mail has a `text_id`."""

    mail: Mail
    campaign: Campaign
    settings: EmailSettings
    profile: Profile
    text: MailText | None
    unsubscribe_url: str


Composer = Callable[[Occasion], Content | None]
"""None: there is nothing to say any more, so the mail is not sent (state SUPPRESSED)."""
