"""E-mails to all participants: each gets one, however often and wherever the run dies."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from grapevine import runtime
from grapevine.engine.due import LEASE_MS
from grapevine.engine.mail import runs
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.months import in_words, month_at, start_of
from grapevine.table import email_keys, store
from grapevine.table.mail_runs import MailRun
from grapevine.table.writes import version
from local.stack import Stack
from tests.api import Api, Json
from tests.invariants import table_of
from tests.mailing import Mailing, part
from tests.scenarios import HOUR_MS, MINUTE_MS, interrupted, leap

SETTLE = "SettleDueFunction"
CLOSE = "CloseMonthFunction"
WON, NOT_WON = "campaignEndedWinners", "campaignEndedNonWinners"
MONTHLY = "progressUpdateMonthly"


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PAGE", 2)


@pytest.fixture
def api(fresh_stack: Stack) -> Iterator[Api]:
    with Api(fresh_stack.url, fresh_stack.api_key) as client:
        yield client


def with_a_winner(stack: Stack, api: Api, *on: str) -> tuple[Mailing, Json, list[Json]]:
    """A campaign, a participant with a reward, and two without."""
    mailing = Mailing(stack, api, *on)
    reward = {"type": "SINGLE_SIDED", "title": "T-shirt"}
    api.ok("POST", f"/v2/campaign/{mailing.id}/reward-configs", reward)
    winner, other = mailing.joins("winner"), mailing.joins("other")
    return mailing, winner, [other, mailing.credited(winner)]


def end(mailing: Mailing) -> None:
    """The campaign ends, and what follows from it has happened."""
    mailing.api.set_status(mailing.id, "COMPLETE")
    mailing.stack.drain()
    mailing.stack.advance(IN_FLIGHT_MS + MINUTE_MS)


def run_of(mailing: Mailing) -> MailRun:
    (item,) = (
        item
        for item in table_of(mailing.stack).values()
        if item["type"] == MailRun.TYPE and item["campaignId"] == mailing.id
    )
    return MailRun.from_item(dict(item))


def runs_of(mailing: Mailing) -> list[Json]:
    items = table_of(mailing.stack).values()
    return [item for item in items if item["type"] == MailRun.TYPE]


def test_winners_and_the_others_are_told_of_the_end(fresh_stack: Stack, api: Api) -> None:
    mailing, winner, others = with_a_winner(fresh_stack, api, WON, NOT_WON)

    end(mailing)

    assert mailing.subjects(winner)[0].endswith("has ended, and you have won")
    for each in others:
        (subject,) = mailing.subjects(each)
        assert subject.endswith("has ended")
    run = run_of(mailing)
    assert run.done_at is not None
    assert (run.due_at, run.due_shard) == (None, None)


@pytest.mark.parametrize(("on", "told"), [(WON, 1), (NOT_WON, 2), ("goalAchieved", 0)])
def test_only_those_are_told_whose_template_is_on(
    fresh_stack: Stack, api: Api, on: str, told: int
) -> None:
    mailing, _, _ = with_a_winner(fresh_stack, api)
    fresh_stack.drain()
    mailing.configure(**{on: {"isEnabled": True}})

    end(mailing)

    assert len(mailing.mails()) == told
    assert len(runs_of(mailing)) == (on != "goalAchieved")


def test_a_leaderboard_that_is_won_at_the_end_makes_winners(fresh_stack: Stack, api: Api) -> None:
    mailing = Mailing(fresh_stack, api, WON, NOT_WON, "goalAchieved")
    board = {"type": "LEADERBOARD", "title": "Cup", "numberOfWinners": 1}
    api.ok("POST", f"/v2/campaign/{mailing.id}/reward-configs", board)
    best = mailing.joins("best")
    friend = mailing.credited(best)

    end(mailing)

    assert [subject.split(", ")[-1] for subject in mailing.subjects(best)] == ["and you have won"]
    assert len(mailing.to(friend)) == 1


def test_who_joins_after_the_end_is_not_told_of_it(fresh_stack: Stack, api: Api) -> None:
    mailing, winner, _ = with_a_winner(fresh_stack, api, WON, NOT_WON)
    api.set_status(mailing.id, "COMPLETE")
    with fresh_stack.hold(SETTLE):
        fresh_stack.drain()
    end_of_page = partial(mailing.joins, "late")

    with interrupted(fresh_stack, SETTLE, 6, end_of_page, for_certain=False):
        fresh_stack.advance(IN_FLIGHT_MS + MINUTE_MS)
    late = mailing.joins("later")
    fresh_stack.advance(HOUR_MS)

    assert len(mailing.to(winner)) == 1
    assert mailing.to(late) == []


def test_an_end_that_is_taken_back_is_told_to_nobody(fresh_stack: Stack, api: Api) -> None:
    mailing, _, _ = with_a_winner(fresh_stack, api, WON, NOT_WON)
    api.set_status(mailing.id, "COMPLETE")
    with fresh_stack.hold("RelayChangesFunction"):
        fresh_stack.drain()
        api.set_status(mailing.id, "IN_PROGRESS")
    fresh_stack.advance(HOUR_MS)
    resumed = mailing.mails()

    end(mailing)

    assert resumed == []
    assert len(mailing.mails()) == 3


def test_a_run_goes_through_all_pages(fresh_stack: Stack, api: Api, small_pages: None) -> None:
    mailing = Mailing(fresh_stack, api, NOT_WON)
    people = [mailing.joins(f"p{number}") for number in range(7)]
    gone = mailing.joins("gone")
    api.delete(mailing.id, people.pop(3)["id"])
    api.update(mailing.id, gone["id"], unsubscribed=True)

    end(mailing)

    assert [len(mailing.to(each)) for each in people] == [1] * 6
    assert mailing.to(gone) == []


def test_a_run_that_takes_long_goes_on_with_the_next_sweep(
    fresh_stack: Stack, api: Api, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_SECONDS", 0.0)
    mailing = Mailing(fresh_stack, api, NOT_WON)
    people = [mailing.joins(f"p{number}") for number in range(5)]

    end(mailing)
    fresh_stack.advance(5 * MINUTE_MS)

    assert [len(mailing.to(each)) for each in people] == [1] * 5
    assert run_of(mailing).done_at is not None


def test_dying_anywhere_in_a_run_writes_to_everybody_once(
    fresh_stack: Stack, api: Api, small_pages: None
) -> None:
    tried = []
    for calls in itertools.count():
        mailing = Mailing(fresh_stack, api, NOT_WON)
        people = [mailing.joins(f"p{number}") for number in range(3)]
        api.set_status(mailing.id, "COMPLETE")
        fresh_stack.advance(MINUTE_MS)
        with fresh_stack.kill_after(calls, SETTLE) as order:
            fresh_stack.advance(MINUTE_MS)
        leap(fresh_stack, fresh_stack.now_ms() + LEASE_MS)
        fresh_stack.advance(MINUTE_MS)
        tried.append((mailing, people))
        if not order.happened:
            break

    assert calls > 15, "a run made hardly a call"
    for mailing, people in tried:
        assert [len(mailing.to(each)) for each in people] == [1] * 3
        assert run_of(mailing).done_at is not None


def test_steps_that_are_repeated_write_nothing_again(
    fresh_stack: Stack, api: Api, small_pages: None
) -> None:
    mailing, winner, others = with_a_winner(fresh_stack, api, WON, NOT_WON)
    end(mailing)
    done = run_of(mailing)
    before = len(mailing.mails())

    with runtime.using(fresh_stack.runtime()):
        again = replace(
            done, version=done.version + 1, cursor=0, done_at=None, due_shard="DUE#0", due_at=0
        )
        assert store.put(again.to_item(), version(done.version))
    api.ok("POST", "/_local/clock", {"advanceMs": HOUR_MS})

    assert run_of(mailing).done_at is not None
    assert len(mailing.mails()) == before
    assert [len(mailing.to(each)) for each in (winner, *others)] == [1, 1, 1]


def test_whoever_wins_between_two_tries_of_a_step_gets_one_email(
    fresh_stack: Stack, api: Api
) -> None:
    mailing = Mailing(fresh_stack, api, WON, NOT_WON, options={"requireManualRewardApproval": True})
    path = f"/v2/campaign/{mailing.id}"
    api.ok("POST", f"{path}/reward-configs", {"type": "SINGLE_SIDED"})
    ada = mailing.joins("ada")
    mailing.credited(ada)
    (earned,) = api.read(mailing.id, ada["id"])["rewards"]
    end(mailing)
    done = run_of(mailing)

    api.ok("POST", f"{path}/reward/{earned['id']}/approve", {})
    with runtime.using(fresh_stack.runtime()):
        again = replace(
            done, version=done.version + 1, cursor=0, done_at=None, due_shard="DUE#0", due_at=0
        )
        assert store.put(again.to_item(), version(done.version))
    fresh_stack.advance(HOUR_MS)

    (subject,) = mailing.subjects(ada)
    assert subject.endswith("has ended")


# Months


def close(stack: Stack) -> None:
    """The month ends and is closed."""
    leap(stack, start_of(month_at(stack.now_ms()) + 1) + HOUR_MS)
    stack.invoke(CLOSE, {})
    stack.drain()
    stack.advance(2 * MINUTE_MS)


def test_a_month_is_told_to_those_who_have_a_credit_in_it(
    fresh_stack: Stack, api: Api, small_pages: None
) -> None:
    mailing = Mailing(fresh_stack, api, MONTHLY)
    wanted = {"a": 3, "b": 1, "c": 2, "d": 1, "e": 0}
    people = {name: mailing.joins(name) for name in wanted}
    for name, number in wanted.items():
        for _ in range(number):
            mailing.credited(people[name])
    month = month_at(fresh_stack.now_ms())

    close(fresh_stack)

    told = Counter({name: len(mailing.to(each)) for name, each in people.items()})
    assert told == {"a": 1, "b": 1, "c": 1, "d": 1, "e": 0}
    message = mailing.only(people["a"])
    assert str(message["subject"]).startswith(f"Your {in_words(month)} at ")
    assert "- Referrals of the month: 3" in part(message, "plain")
    assert "- Referrals in all: 3" in part(message, "plain")
    assert len(mailing.mails()) == 4


def test_each_month_is_told_once_and_counted_alone(fresh_stack: Stack, api: Api) -> None:
    mailing = Mailing(fresh_stack, api, MONTHLY)
    ada = mailing.joins("ada")
    for number in (1, 2):
        for _ in range(number):
            mailing.credited(ada)
        close(fresh_stack)
        fresh_stack.invoke(CLOSE, {})
        fresh_stack.drain()

    texts = [part(message, "plain") for message in mailing.to(ada)]

    assert ["- Referrals of the month: 1" in text for text in texts] == [True, False]
    assert ["- Referrals of the month: 2" in text for text in texts] == [False, True]
    assert "- Referrals in all: 3" in texts[1]


def test_a_month_without_credits_is_told_to_nobody(fresh_stack: Stack, api: Api) -> None:
    mailing = Mailing(fresh_stack, api, MONTHLY)
    mailing.joins("ada")

    close(fresh_stack)

    assert mailing.mails() == []
    assert run_of(mailing).done_at is not None


def test_a_month_whose_credits_are_gone_when_it_is_told_is_not_told(
    fresh_stack: Stack, api: Api
) -> None:
    mailing = Mailing(fresh_stack, api, MONTHLY)
    ada = mailing.joins("ada")
    friend = mailing.credited(ada)

    with fresh_stack.hold("SendMailFunction"):
        close(fresh_stack)
        api.delete(mailing.id, friend["id"])
    fresh_stack.drain()

    (mail,) = mailing.mails()
    assert mail.state == "SUPPRESSED"
    assert mailing.to(ada) == []


def test_a_month_that_ends_after_its_campaign_is_not_told(fresh_stack: Stack, api: Api) -> None:
    mailing = Mailing(fresh_stack, api, MONTHLY)
    mailing.credited(mailing.joins("ada"))
    api.set_status(mailing.id, "COMPLETE")

    close(fresh_stack)

    assert mailing.mails() == []


def test_no_run_is_made_where_no_email_is_sent(fresh_stack: Stack, api: Api) -> None:
    mailing = Mailing(fresh_stack, api, WON, NOT_WON, MONTHLY)
    mailing.configure(settings={"sender": {"fromEmail": None}})
    mailing.credited(mailing.joins("ada"))

    close(fresh_stack)
    end(mailing)

    assert runs_of(mailing) == []
    assert email_keys.mail_run(mailing.id, "MONTH", 1) not in table_of(fresh_stack)
