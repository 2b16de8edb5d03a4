"""E-mails to many participants of a campaign, how far each has come, and the pace of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from grapevine.table import email_keys
from grapevine.table.entity import Entity
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRun(Entity):
    """`number` is the campaign's end (ms) for an ENDED run, the month for a MONTH run; a campaign
    has one run for each. `cursor` is the place from which the next page is read: a join sequence
    number, or a position of the month's board; an ENDED run stops behind `last_sequence`.
    `done_at` (ms) says when everybody had been written to. Goes by its `expires_at` (seconds)."""

    TYPE: ClassVar[str] = "MailRun"

    campaign_id: str
    kind: Literal["ENDED", "MONTH"]
    number: int
    version: int = 0
    created_at: int
    cursor: int | None = None
    last_sequence: int | None = None
    done_at: int | None = None
    due_shard: str | None = None
    due_at: int | None = None
    expires_at: int

    @property
    def key(self) -> Key:
        return email_keys.mail_run(self.campaign_id, self.kind, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPace(Entity):
    """Until when (ms) the runs of all campaigns have taken the time for their e-mails."""

    TYPE: ClassVar[str] = "MailPace"

    version: int = 0
    free_from: int

    @property
    def key(self) -> Key:
        return email_keys.mail_pace()
