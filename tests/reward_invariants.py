"""What must hold of all rewards in the whole table, read item by item, past the engine.

What should have been earned is worked out anew from the referrals and the reward configs, so that
a mistake in the engine's arithmetic cannot hide here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from grapevine.months import month_at, year_of
from grapevine.table import keys
from grapevine.table.keys import Key
from local.stack import Stack
from tests.invariants import Item, of_type, table_of


def check(stack: Stack, *, unremoved: bool = True, drained: bool = True) -> None:
    """Fails with everything that is wrong with the rewards in the table.

    `unremoved`: no reward was deleted and no friend left, and every reward was offered all the
    time, so that what should have been earned can be told from the credits alone. `drained`: the
    stream has been worked off.
    """
    items = table_of(stack)
    wrong: list[str] = []
    for campaign in of_type(items.values(), "Campaign"):
        facts = _Facts(items, campaign["campaignId"])
        found = [*facts.states(), *facts.counts(), *facts.limits(), *facts.orphans()]
        if unremoved:
            found += [*facts.lost(), *facts.halves()]
        if drained:
            found += facts.winners()
        wrong += [f"campaign {campaign['campaignId']}: {each}" for each in found]
    assert not wrong, "\n".join([f"{len(wrong)} things are wrong:", *wrong])


class _Facts:
    """One campaign's items, by kind."""

    def __init__(self, items: dict[Key, Item], campaign_id: str) -> None:
        own = [item for item in items.values() if item.get("campaignId") == campaign_id]
        self._configs = {i["rewardId"]: i for i in of_type(own, "RewardConfig")}
        self._earned = of_type(own, "EarnedReward")
        self._earnings = {i["participantId"]: i for i in of_type(own, "Earnings")}
        self._living = {i["participantId"] for i in of_type(own, "Profile")}
        self._standings = {i["participantId"] for i in of_type(own, "Standing")}
        self._credits: dict[str, list[Item]] = defaultdict(list)
        for row in of_type(own, "Referral"):
            if row["status"] == "CREDIT_AWARDED":
                self._credits[row["referrerId"]].append(row)
        self._totals = items.get(keys.totals(campaign_id), {})
        self._by_earner: dict[str, list[Item]] = defaultdict(list)
        for reward in self._earned:
            self._by_earner[reward["participantId"]].append(reward)

    def states(self) -> Iterator[str]:
        for reward in self._earned:
            if "fulfilledAt" in reward and "approvedAt" not in reward:
                yield f"{_name(reward)} is fulfilled and not approved"
            if reward["isReferrer"] != (reward["participantId"] == reward["referrerId"]):
                yield f"{_name(reward)} is on the wrong side: {reward}"
        same = Counter(
            (
                r["participantId"],
                r["rewardId"],
                r.get("referredId"),
                r["isReferrer"],
                r.get("wonIn"),
            )
            for r in self._earned
        )
        yield from (f"{each} was earned {times} times" for each, times in same.items() if times > 1)

    def counts(self) -> Iterator[str]:
        for earner, rewards in self._by_earner.items():
            earnings = self._earnings.get(earner)
            if earnings is None:
                yield f"{earner} has rewards and no earnings"
                continue
            if max(int(each["number"]) for each in rewards) > earnings["earned"]:
                yield f"{earner} has numbered {earnings['earned']} rewards and has {len(rewards)}"
            approved = sum("approvedAt" in each for each in rewards)
            if earner in self._living and approved != earnings["approved"]:
                yield f"{earner} has {approved} approved rewards, counted {earnings['approved']}"

    def limits(self) -> Iterator[str]:
        """No window of a limited reward holds more than its limit."""
        windows: Counter[tuple[str, str, int]] = Counter()
        for reward in self._earned:
            if reward["isReferrer"]:
                config = self._configs[reward["rewardId"]]
                window = int(reward.get("wonIn", _window(config, int(reward["createdAt"]))))
                windows[reward["participantId"], reward["rewardId"], window] += 1
        for (earner, reward_id, window), times in windows.items():
            most = _most(self._configs[reward_id])
            if most is not None and times > most:
                yield f"{earner} has earned {reward_id} {times} times in {window}, at most {most}"

    def orphans(self) -> Iterator[str]:
        for earner, rewards in self._by_earner.items():
            if earner not in self._standings:
                yield f"{earner} is gone and has {len(rewards)} rewards"
        for earner, earnings in self._earnings.items():
            if (earner in self._living) == ("deletedAt" in earnings):
                yield f"the earnings of {earner} say the wrong thing of their life: {earnings}"
            if ("expiresAt" in earnings) == (earner in self._living):
                yield f"the earnings of {earner} go away at the wrong time"

    def lost(self) -> Iterator[str]:
        """Each credit has earned what its number makes it earn."""
        for referrer in self._living:
            for config in self._configs.values():
                if config["rewardType"] == "LEADERBOARD" or "deletedAt" in config:
                    continue
                found = Counter(
                    _window(config, int(each["createdAt"]))
                    for each in self._by_earner[referrer]
                    if each["isReferrer"] and each["rewardId"] == config["rewardId"]
                )
                given = Counter(
                    _window(config, int(each["creditedAt"])) for each in self._credits[referrer]
                )
                wanted = {window: _due(config, number) for window, number in given.items()}
                if {**dict.fromkeys(wanted, 0), **found} != wanted:
                    yield f"{referrer} has earned {config['rewardId']} {found}, not {wanted}"

    def halves(self) -> Iterator[str]:
        """The friend's half of a double-sided reward is there when the referrer's is."""

        def sides(*, referrers: bool) -> set[tuple[str, str]]:
            return {
                (each["rewardId"], each["referredId"])
                for each in self._earned
                if each["isReferrer"] == referrers
                and self._configs[each["rewardId"]]["rewardType"] == "DOUBLE_SIDED"
                and not self._configs[each["rewardId"]]["referredRewardUpfront"]
            }

        yield from (
            f"only one side has {each}" for each in sides(referrers=True) ^ sides(referrers=False)
        )

    def winners(self) -> Iterator[str]:
        wanted = sum(self._earnings.get(one, {}).get("approved", 0) > 0 for one in self._living)
        found = self._totals.get("winnerCount", 0)
        if found != wanted:
            yield f"winnerCount is {found}, should be {wanted}"


def _name(reward: Item) -> str:
    return f"reward {reward['number']} of {reward['participantId']}"


def _window(config: Item, at: int) -> int:
    month = month_at(at)
    match config["limitDuration"]:
        case "PER_MONTH":
            return month
        case "PER_YEAR":
            return year_of(month)
    return 0


def _most(config: Item) -> int | None:
    if config["rewardType"] in {"MILESTONE", "LEADERBOARD"}:
        return 1
    return None if config["isUnlimited"] else int(config["limit"])


def _due(config: Item, number: int) -> int:
    times = number // int(config["conversionsRequired"])
    most = _most(config)
    return times if most is None else min(times, most)


def events_of(stack: Stack) -> list[Item]:
    """The stored webhook events, without reading their payloads."""
    return of_type(table_of(stack).values(), "WebhookEvent")
