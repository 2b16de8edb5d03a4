from __future__ import annotations

from dataclasses import replace

import pytest

from grapevine.engine.activities import entries_of
from grapevine.table.attributes import Change
from grapevine.table.mail import Mail

WAITING = Mail(
    campaign_id="camp01",
    mail_id="mail_1",
    kind="program",
    template="welcomeReferred",
    participant_id="gavin1",
    created_at=1,
    next_attempt_at=1,
    expires_at=9,
)
SENT = replace(WAITING, state="SENT", sent_at=5)


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        (SENT, "Got the e-mail welcomeReferred."),
        (replace(SENT, kind="freeform", template=None), "Got an e-mail."),
    ],
)
def test_an_e_mail_is_in_the_log_once_it_was_sent(mail: Mail, text: str) -> None:
    (line,) = entries_of(Change(WAITING.to_item(), mail.to_item()))

    assert (line.participant_id, line.at, line.kind, line.text) == ("gavin1", 5, "EMAIL", text)


def test_what_becomes_of_it_later_and_invites_are_not_told_again() -> None:
    delivered = replace(SENT, delivered_at=6)
    invite = replace(SENT, kind="invite")

    assert entries_of(Change(SENT.to_item(), delivered.to_item())) == []
    assert entries_of(Change(None, WAITING.to_item())) == []
    assert entries_of(Change(WAITING.to_item(), invite.to_item())) == []
