from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from grapevine.engine.mail.addresses import deliverable
from grapevine.engine.mail.settings import MOST_INVITES_A_DAY, EmailSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"fromEmail": "nobody"},
        {"fromEmail": "wörter@example.com"},
        {"fromEmail": '"a b"@example.com'},
        {"fromEmail": "a@example.com\r\nBcc: b@example.com"},
        {"fromEmail": "Name <a@example.com>"},
        {"replyTo": "a@b@c"},
        {"fromName": "a\r\nBcc: b@example.com"},
        {"fromName": "a\u2028b"},
        {"fromName": "x" * 101},
        {"contact": {"city": "a\nb"}},
        {"dailyInvites": -1},
        {"dailyInvites": MOST_INVITES_A_DAY + 1},
        {"dailyInvitesPerParticipant": True},
        {"dailyInvitesPerParticipant": 1.5},
        {"unheardOf": 1},
    ],
    ids=str,
)
def test_settings_that_no_e_mail_can_be_sent_with_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EmailSettings.model_validate(wrong)


def test_only_what_was_given_is_kept_and_all_is_shown() -> None:
    settings = EmailSettings.model_validate(
        {"fromEmail": " a@example.com ", "contact": {"city": "Town"}, "dailyInvites": "7"}
    )

    assert settings.set_fields() == {
        "fromEmail": "a@example.com",
        "contact": {"city": "Town"},
        "dailyInvites": 7,
    }
    assert settings.complete().set_fields().keys() > {"replyTo", "referrerMessage"}


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("a@example.com", "a@example.com"),
        ("A+b@Bücher.example", "A+b@xn--bcher-kva.example"),
        ("wörter@example.com", None),
        ("nobody", None),
        ("a@example.com\nBcc: b@example.com", None),
    ],
)
def test_a_deliverable_address_is_ascii(email: str, expected: str | None) -> None:
    assert deliverable(email) == expected
