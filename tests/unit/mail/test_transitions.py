from __future__ import annotations

import itertools

import pytest

from grapevine import runtime
from grapevine.engine.mail import transitions
from grapevine.engine.mail.post import new_mail
from grapevine.engine.mail.ses import Outcome
from grapevine.engine.mail.transitions import GIVE_UP_AFTER_MS, LEASE_MS
from grapevine.runtime import Runtime, Settings
from grapevine.table.mail import Mail

NOW = 1_795_338_000_000
HOUR_MS = 3_600_000


@pytest.fixture
def mail() -> Mail:
    with runtime.using(Runtime(Settings({}), now_ms=lambda: NOW)):
        return new_mail("program", "camp01", "gavin1", fact="joined", template="welcomeReferred")


def test_one_fact_is_one_mail_and_another_is_another(mail: Mail) -> None:
    with runtime.using(Runtime(Settings({}), now_ms=lambda: NOW + 1)):
        again = new_mail("program", "camp01", "gavin1", fact="joined", template="welcomeReferred")
        others = [
            new_mail("freeform", "camp01", "gavin1", fact="joined", template="welcomeReferred"),
            new_mail("program", "camp01", "gavin1", fact="joined", template="goalAchieved"),
            new_mail("program", "camp01", "gavin1", fact="won", template="welcomeReferred"),
            new_mail("program", "camp01", "monica", fact="joined", template="welcomeReferred"),
            new_mail("program", "camp02", "gavin1", fact="joined", template="welcomeReferred"),
        ]

    assert again.mail_id == mail.mail_id
    assert len({mail.mail_id, *(each.mail_id for each in others)}) == 6


def test_waits_grow_to_an_hour_and_end_after_two_days(mail: Mail) -> None:
    now, waits = NOW, []
    refused = Outcome("later", "TooManyRequestsException")
    for attempt in itertools.count(1):
        claimed = transitions.claimed(mail, now, "hash")
        assert (claimed.state, claimed.next_attempt_at) == ("SENDING", now + LEASE_MS)
        mail = transitions.recorded(claimed, refused, now, jitter=0.5)
        assert mail.attempts == attempt
        if mail.state == "FAILED":
            break
        assert mail.state == "QUEUED"
        assert mail.due_at == mail.next_attempt_at
        waits.append(mail.next_attempt_at - now)
        now = mail.next_attempt_at

    assert waits[:7] == [60_000 * 2**n for n in range(6)] + [HOUR_MS]
    assert set(waits[6:]) == {HOUR_MS}
    assert sum(waits) <= GIVE_UP_AFTER_MS
    assert (mail.reason, mail.due_at) == ("TooManyRequestsException", None)


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_jitter_spreads_a_wait_from_half_to_one_and_a_half(mail: Mail, jitter: float) -> None:
    claimed = transitions.claimed(mail, NOW, "hash")

    later = transitions.recorded(claimed, Outcome("later", "x"), NOW, jitter)

    assert later.next_attempt_at - NOW == 30_000 + int(60_000 * jitter)


def test_an_unknown_outcome_leaves_the_claim(mail: Mail) -> None:
    claimed = transitions.claimed(mail, NOW, "hash")

    assert (
        transitions.recorded(claimed, Outcome("unknown", "ReadTimeoutError"), NOW, 0.5) == claimed
    )


@pytest.mark.parametrize("event", ["Send", "Delivery", "Bounce", "Complaint"])
@pytest.mark.parametrize("state", ["QUEUED", "SENDING", "SUPPRESSED", "FAILED"])
def test_every_event_but_a_rejection_proves_that_it_was_sent(
    mail: Mail, event: str, state: str
) -> None:
    before = {
        "QUEUED": mail,
        "SENDING": transitions.claimed(mail, NOW, "hash"),
        "SUPPRESSED": transitions.ended(mail, "SUPPRESSED", "joined"),
        "FAILED": transitions.ended(mail, "FAILED", "too late"),
    }[state]

    after = transitions.noted(before, event, "m1", NOW + 5)

    assert (after.state, after.ses_message_id, after.sent_at) == ("SENT", "m1", NOW + 5)
    assert after.version == before.version + 1
    assert transitions.noted(after, event, "m1", NOW + 9) == after


def test_an_unheard_of_event_changes_nothing(mail: Mail) -> None:
    for event in ("Open", "Click", "DeliveryDelay", "", "__class__"):
        assert transitions.noted(mail, event, "m1", NOW) == mail
