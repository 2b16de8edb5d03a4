"""Ranks and boards against sorting everybody, over random stories and with a stream that does as it
likes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from grapevine.months import month_at, start_of
from local.stack import Stack
from tests import invariants, visitors
from tests.api import Api
from tests.scenarios import at_once, drain, leap

pytestmark = pytest.mark.both_engines

PROJECT = "ProjectStandingsFunction"
BOARDS = [
    "ALL_TIME",
    "CURRENT_MONTH",
    "PREV_MONTH",
    "TOTAL_IMPRESSION_COUNT",
    "UNIQUE_IMPRESSION_COUNT",
]


@dataclass
class Member:
    """What is known of a participant, in join order."""

    id: str
    joined_month: int
    referrer: Member | None
    credited_month: int | None = None
    is_expired: bool = False
    views: Counter[str] = field(default_factory=Counter)


@dataclass
class Model:
    """The campaign as it should be, kept as plain lists."""

    members: list[Member] = field(default_factory=list)

    def credits_of(self, member: Member, month: int | None = None) -> int:
        return sum(
            1
            for friend in self.members
            if friend.referrer is member
            and friend.credited_month is not None
            and month in (None, friend.credited_month)
        )

    def ranks(self, month: int | None) -> dict[str, int]:
        places = list(enumerate(self.members))
        order = sorted(places, key=lambda place: (-self.credits_of(place[1], month), place[0]))
        return {member.id: rank for rank, (_, member) in enumerate(order, 1)}

    def board(self, name: str, month: int) -> list[str]:
        """The ids as they should stand: sorting keeps the join order of equal ones."""
        there = [one for one in self.members if name != "PREV_MONTH" or one.joined_month < month]
        counts: dict[str, Callable[[Member], int]] = {
            "ALL_TIME": self.credits_of,
            "CURRENT_MONTH": lambda one: self.credits_of(one, month),
            "PREV_MONTH": lambda one: self.credits_of(one, month - 1),
            "TOTAL_IMPRESSION_COUNT": lambda one: one.views.total(),
            "UNIQUE_IMPRESSION_COUNT": lambda one: len(one.views),
        }
        return [one.id for one in sorted(there, key=lambda one: -counts[name](one))]

    def rows(self, month: int) -> dict[str, dict[str, Any]]:
        all_time, monthly = self.ranks(None), self.ranks(month)
        last_month = Model([one for one in self.members if one.joined_month < month])
        counted = {one.id: self.credits_of(one, month - 1) for one in self.members}
        order = sorted(
            enumerate(last_month.members), key=lambda place: (-counted[place[1].id], place[0])
        )
        previous = {member.id: rank for rank, (_, member) in enumerate(order, 1)}
        return {
            one.id: {
                "rank": all_time[one.id],
                "monthlyRank": monthly[one.id],
                "prevMonthlyRank": previous.get(one.id, -1),
                "referralCount": self.credits_of(one),
                "monthlyReferralCount": self.credits_of(one, month),
                "prevMonthlyReferralCount": counted[one.id],
                "impressionCount": one.views.total(),
                "uniqueImpressionCount": len(one.views),
            }
            for one in self.members
        }


class Story:
    """Random operations on a campaign, each done to the model, too."""

    def __init__(self, stack: Stack, api: Api, seed: int) -> None:
        self.stack, self.api, self.random = stack, api, random.Random(seed)  # noqa: S311 - a story
        self.campaign_id = api.campaign(installation={"shareUrl": f"{visitors.ORIGIN}/join"})
        self.model = Model()
        self.browsers = [visitors.visitor() for _ in range(4)]
        self.told: list[dict[str, Any]] = []

    @property
    def month(self) -> int:
        return month_at(self.stack.now_ms())

    def step(self) -> None:
        acts = [*2 * [self.add], *3 * [self.trigger], self.expire, self.delete, self.view]
        self.random.choice(acts)()

    def add(self) -> None:
        referrer = self.random.choice([None, *self.model.members])
        fields = {"referredBy": referrer.id} if referrer else {}
        added = self.api.add(self.campaign_id, **fields)
        self.model.members.append(Member(added["id"], self.month, referrer))

    def waiting(self) -> list[Member]:
        """Whose credit can still be given."""
        return [
            one
            for one in self.model.members
            if one.referrer and one.credited_month is None and not one.is_expired
        ]

    def trigger(self) -> None:
        waiting = self.waiting()
        if not waiting:
            return
        friend = self.random.choice(waiting)
        assert self.api.trigger(self.campaign_id, friend.id)["success"]
        friend.credited_month = self.month

    def expire(self) -> None:
        if waiting := self.waiting():
            friend = self.random.choice(waiting)
            self.api.update(self.campaign_id, friend.id, referralStatus="CREDIT_EXPIRED")
            friend.is_expired = True

    def view(self) -> None:
        if self.model.members:
            seen, browser = (
                self.random.choice(self.model.members),
                self.random.choice(self.browsers),
            )
            assert visitors.view(self.api, self.campaign_id, seen.id, browser)
            seen.views[browser] += 1

    def deliver(self) -> None:
        """The records reach the projection in any order, some of them again, in batches cut
        anywhere, three of them at the same time."""
        new = self.stack.take_records(PROJECT)
        records = new + self.random.choices(new + self.told, k=10 if new else 0)
        self.random.shuffle(records)
        cuts = sorted(self.random.choices(range(len(records) + 1), k=2))
        batches = [records[: cuts[0]], records[cuts[0] : cuts[1]], records[cuts[1] :]]
        at_once(
            self.stack,
            [partial(lambda batch, _: self.stack.deliver(PROJECT, batch), one) for one in batches],
        )
        self.told += new

    def delete(self) -> None:
        if len(self.model.members) < 6:
            return
        gone = self.random.choice(self.model.members)
        self.api.delete(self.campaign_id, gone.id)
        self.model.members.remove(gone)
        for friend in self.model.members:
            if friend.referrer is gone:
                friend.referrer = friend.credited_month = None

    def shown(self) -> dict[str, dict[str, Any]]:
        self.deliver()
        rows = self.api.all_pages(self.campaign_id, 100)
        names = next(iter(self.model.rows(self.month).values()), {}).keys()
        return {row["id"]: {name: row[name] for name in names} for row in rows}

    def boards(self) -> dict[str, list[str]]:
        """Every board as its pages show it."""
        path = f"/v2/campaign/{self.campaign_id}/leaderboard"
        listed: dict[str, list[str]] = {}
        for name in BOARDS:
            query: dict[str, Any] = {"leaderboardType": name, "limit": self.random.randint(2, 12)}
            rows = listed.setdefault(name, [])
            while True:
                page = self.api.ok("GET", path, params=query)
                rows += [row["id"] for row in page["participants"]]
                if page["nextId"] is None:
                    break
                query["nextId"] = page["nextId"]
        return listed


def test_ranks_and_counts_agree_with_sorting_everybody(fresh_stack: Stack, story_seed: int) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        story = Story(fresh_stack, api, story_seed)
        for months_passed in range(4):
            for _ in range(15):
                story.step()

            assert story.shown() == story.model.rows(story.month), f"after {months_passed} months"
            leap(fresh_stack, start_of(story.month + 1 + story_seed % 2))
            assert story.shown() == story.model.rows(story.month), "after the turn of the month"
            wanted = {name: story.model.board(name, story.month) for name in BOARDS}
            assert story.boards() == wanted, f"after {months_passed} months"

        drain(api)
        campaign = api.read_campaign(story.campaign_id)
        credits_given = sum(story.model.credits_of(one) for one in story.model.members)
        assert campaign["participantCount"] == len(story.model.members)
        assert campaign["referralCount"] == credits_given
        views = sum(one.views.total() for one in story.model.members)
        assert campaign["impressionCount"] == views
    invariants.check(fresh_stack)


def test_a_referrer_inside_a_friend_has_the_same_ranks(stack: Stack, api: Api) -> None:
    story = Story(stack, api, seed=99)
    for _ in range(25):
        story.step()
    drain(api)
    rows = {row["id"]: row for row in api.all_pages(story.campaign_id, 100)}

    referred = [row for row in rows.values() if row["referrer"]]

    assert referred
    for row in referred:
        referrer = row["referrer"]
        assert referrer == {name: rows[referrer["id"]][name] for name in referrer}


def test_of_two_with_the_same_count_the_earlier_joiner_is_ahead(api: Api) -> None:
    campaign_id = api.campaign()
    early, late = api.add(campaign_id)["id"], api.add(campaign_id)["id"]
    for referrer in (late, early):
        api.add(campaign_id, referredBy=referrer, referralStatus="CREDIT_AWARDED")
    drain(api)

    ranks = {row["id"]: row["rank"] for row in api.all_pages(campaign_id, 100)}

    assert (ranks[early], ranks[late]) == (1, 2)
    assert sorted(ranks.values()) == [1, 2, 3, 4]
