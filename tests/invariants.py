"""What must hold in the whole table, whatever happened: read item by item, past the engine.

Everything is worked out anew from the facts (profiles, referral rows, join sequence), so that a
mistake in the engine's arithmetic cannot hide here.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from grapevine.months import month_at, year_of
from grapevine.table import keys
from grapevine.table.keys import Key
from grapevine.table.participants import hash_of_pair, normalise_email, text_of
from grapevine.table.standings import Standing
from local.stack import Stack
from tests import rank_index

Item = dict[str, Any]

_UNIT = 10**10
_deserializer = TypeDeserializer()

# All that may be left of a deleted participant.
_OF_A_TOMBSTONE = {
    "partition",
    "sort",
    "type",
    "campaignId",
    "participantId",
    "version",
    "joinSequence",
    "joinedMonth",
    "referralCount",
    "deletedAt",
    "expiresAt",
    "dueShard",
    "dueAt",
}
_BOARDS = {
    "allTimeBoard",
    "allTimePosition",
    "evenMonthBoard",
    "evenMonthPosition",
    "oddMonthBoard",
    "oddMonthPosition",
    "joinOrderOf",
}


def table_of(stack: Stack) -> dict[Key, Item]:
    """Every item of the stack's table."""
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.table_name, ConsistentRead=True
    )
    items = (
        {name: _deserializer.deserialize(value) for name, value in raw.items()}
        for page in pages
        for raw in page["Items"]
    )
    return {Key(item["partition"], item["sort"]): item for item in items}


def check(stack: Stack, *, drained: bool = True, dense: bool = True, rebuilt: bool = False) -> None:
    """Fails with everything that is wrong in the table.

    `drained`: the stream has been worked off, so the totals are up to date. `dense`: no process
    died between drawing a join sequence number and using it. `rebuilt`: stream records were lost
    before a rebuild, which knows nothing of the dead.
    """
    items = table_of(stack)
    wrong = [*_accounts(items), *_strangers(items)]
    for campaign in of_type(items.values(), "Campaign"):
        facts = _Facts(items, campaign, month_at(stack.now_ms()))
        wrong += facts.problems(drained=drained, dense=dense, rebuilt=rebuilt)
    assert not wrong, "\n".join([f"{len(wrong)} things are wrong in the table:", *wrong])


def waiting(stack: Stack) -> list[Key]:
    """What is in the due index for the sweep and due by now."""
    shards = {keys.due_shard(number) for number in range(keys.DUE_SHARDS)}
    return [
        key
        for key, item in table_of(stack).items()
        if item.get("dueShard") in shards and item["dueAt"] <= stack.now_ms()
    ]


def of_type(items: Iterable[Item], type_name: str) -> list[Item]:
    return [item for item in items if item["type"] == type_name]


def _one_to_one(what: str, found: Iterable[Any], wanted: Iterable[Any]) -> Iterator[str]:
    has, needs = Counter(iter(found)), Counter(iter(wanted))
    yield from (f"{what}: {each} should not be there" for each in has - needs)
    yield from (f"{what}: {each} is missing" for each in needs - has)


def _accounts(items: dict[Key, Item]) -> Iterator[str]:
    everything = items.values()
    yield from _one_to_one(
        "the account's list of campaigns",
        ((i["accountId"], i["campaignId"]) for i in of_type(everything, "AccountCampaign")),
        ((i["accountId"], i["campaignId"]) for i in of_type(everything, "Campaign")),
    )
    yield from _one_to_one(
        "the account's slugs",
        ((i["accountId"], i["slug"], i["campaignId"]) for i in of_type(everything, "CampaignSlug")),
        (
            (i["accountId"], i["slug"], i["campaignId"])
            for i in of_type(everything, "Campaign")
            if "slug" in i and i["status"] != "DELETED"
        ),
    )
    yield from _one_to_one(
        "the account's list of keys",
        ((i["accountId"], i["keyId"], i["keyHash"]) for i in of_type(everything, "AccountApiKey")),
        ((i["accountId"], i["keyId"], i["keyHash"]) for i in of_type(everything, "ApiKey")),
    )


def _strangers(items: dict[Key, Item]) -> Iterator[str]:
    """Items of no campaign: all that is said of one below is said of those it finds by its id."""
    campaigns = {each["campaignId"] for each in of_type(items.values(), "Campaign")}
    singles = {
        *(keys.totals(each) for each in campaigns),
        *(keys.join_sequence(each) for each in campaigns),
    }
    for key, item in items.items():
        if item["type"] in {"Totals", "Sequence"}:
            known = key in singles
        else:
            known = "campaignId" not in item or item["campaignId"] in campaigns
        if not known:
            yield f"{item['type']} {key} belongs to no campaign"


class _Facts:
    """One campaign's items, by kind."""

    def __init__(self, items: dict[Key, Item], campaign: Item, month: int) -> None:
        self._month = month
        self._campaign_id = campaign_id = campaign["campaignId"]
        own = [item for item in items.values() if item.get("campaignId") == campaign_id]
        self._profiles = {i["participantId"]: i for i in of_type(own, "Profile")}
        standings = {i["participantId"]: i for i in of_type(own, "Standing")}
        self._living = {id_: i for id_, i in standings.items() if "deletedAt" not in i}
        self._tombstones = {id_: i for id_, i in standings.items() if "deletedAt" in i}
        self._standings = standings
        self._referrals = of_type(own, "Referral")
        self._rows: dict[str, list[Item]] = defaultdict(list)
        for row in self._referrals:
            self._rows[row["referrerId"]].append(row)
        self._email_guards = of_type(own, "EmailGuard")
        self._key_guards = of_type(own, "KeyGuard")
        self._metadata_entries = of_type(own, "MetadataEntry")
        self._earnings = {i["participantId"]: i for i in of_type(own, "Earnings")}
        self._impressions = {i["participantId"]: i for i in of_type(own, "Impressions")}
        self._invitations = {i["participantId"]: i for i in of_type(own, "Invitations")}
        self._invites = Counter(i["referrerId"] for i in of_type(own, "Invite"))
        self._visitors = Counter(
            i["participantId"] for i in of_type(own, "Visitor") if "seenUntil" in i
        )
        self._ranks = [item for item in own if item["type"].startswith("Rank")]
        self._counted = {(i["source"], i["participantId"]): i for i in of_type(own, "Counted")}
        self._totals = items.get(keys.totals(campaign_id), {})
        self._sequence = items.get(keys.join_sequence(campaign_id), {}).get("joinSequence", 0)

    def problems(self, *, drained: bool, dense: bool, rebuilt: bool) -> list[str]:
        found = [
            *self._guards(),
            *self._metadata(),
            *self._halves(),
            *self._join_order(dense=dense),
            *self._tombstone_contents(),
            *self._referral_rows(),
            *self._places(),
            *self._due_work(),
            *self._links(),
            *self._invited(),
        ]
        for standing in self._living.values():
            found += self._counts(standing)
            found += self._boards(standing)
        if drained:
            found += self._projection(rebuilt=rebuilt)
        return [f"campaign {self._campaign_id}: {each}" for each in found]

    def _guards(self) -> Iterator[str]:
        yield from _one_to_one(
            "e-mail guards",
            ((each["email"], each["participantId"]) for each in self._email_guards),
            ((normalise_email(p["email"]), id_) for id_, p in self._profiles.items()),
        )
        yield from _one_to_one(
            "key guards",
            ((each["shareKey"], each["participantId"]) for each in self._key_guards),
            (
                (share_key, id_)
                for id_, p in self._profiles.items()
                for share_key in {id_.lower(), *(key.lower() for key in p["vanityKeys"])}
            ),
        )

    def _metadata(self) -> Iterator[str]:
        yield from _one_to_one(
            "metadata entries",
            ((each["pairHash"], each["participantId"]) for each in self._metadata_entries),
            (
                (hash_of_pair(key, text_of(value)), id_)
                for id_, profile in self._profiles.items()
                for key, value in json.loads(profile["metadata"]).items()
            ),
        )

    def _halves(self) -> Iterator[str]:
        yield from _one_to_one("living standings", self._living, self._profiles)

    def _join_order(self, *, dense: bool) -> Iterator[str]:
        drawn = Counter(int(each["joinSequence"]) for each in self._standings.values())
        for number, times in drawn.items():
            if times > 1:
                yield f"join sequence {number} was given {times} times"
            if not 1 <= number <= self._sequence:
                yield f"join sequence {number} was never drawn (the last is {self._sequence})"
        holes = [number for number in range(1, int(self._sequence) + 1) if number not in drawn]
        if dense and holes:
            yield f"the join sequence has holes: {holes}"

    def _tombstone_contents(self) -> Iterator[str]:
        for id_, tombstone in self._tombstones.items():
            extra = tombstone.keys() - _OF_A_TOMBSTONE
            if extra:
                yield f"the tombstone of {id_} still has {sorted(extra)}"
            if tombstone["referralCount"] or "expiresAt" not in tombstone:
                yield f"the tombstone of {id_} counts something or stays for ever: {tombstone}"

    def _referral_rows(self) -> Iterator[str]:
        friends = Counter(row["referredId"] for row in self._referrals)
        for row in self._referrals:
            referrer_id, friend_id = row["referrerId"], row["referredId"]
            where = f"the referral of {friend_id} by {referrer_id}"
            friend = self._profiles.get(friend_id)
            if referrer_id in self._living:
                if friend is None or friend.get("referrerId") != referrer_id:
                    yield f"{where}: the friend does not point back"
                if friend and friend["referralSource"] != "PARTICIPANT":
                    yield f"{where}: the friend says {friend['referralSource']}"
                for name in ("email", "firstName", "lastName"):
                    if friend and friend.get(name) != row.get(name):
                        yield f"{where}: it has another {name} than the friend"
            elif "dueAt" not in self._tombstones.get(referrer_id, {}):
                yield f"{where}: nobody will ever clean it up, its referrer is gone and erased"
        for id_, profile in self._profiles.items():
            if "referrerId" in profile and not friends[id_]:
                yield f"{id_} points to the referrer {profile['referrerId']} without a referral"

    def _places(self) -> Iterator[str]:
        """Where the referrals stand in the lists, from what they say."""
        for row in self._referrals:
            at, campaign = row["referredId"], f"CAMPAIGN#{self._campaign_id}#REFERRALS"
            wanted = {
                "referralList": campaign,
                "statusList": f"{campaign}#{row['status']}",
                "statusPlace": f"{row['status']}#{int(row['updatedAt']):015}#{at}",
                "createdPlace": f"{int(row['createdAt']):015}#{at}",
                "emailPlace": f"{normalise_email(row['email'])}#{at}",
            }
            if wanted != {name: row.get(name) for name in wanted}:
                yield f"the referral of {at} stands in the wrong place of a list: {row}"

    def _due_work(self) -> Iterator[str]:
        for row in self._referrals:
            where = f"the referral of {row['referredId']} by {row['referrerId']}"
            if ("dueAt" in row) != ("dueShard" in row):
                yield f"{where} is in the due index by half: {row}"
            if row["status"] != "CREDIT_PENDING" and {"dueAt", "awardAt"} & row.keys():
                yield f"{where} is {row['status']} and still due: {row}"
            if "held" in row and "dueAt" in row:
                yield f"{where} is held back and due: {row}"
            if "awardAt" in row and "held" not in row and row.get("dueAt", -1) < row["awardAt"]:
                yield f"{where} is to be awarded, but is not due then: {row}"
            credited = {"creditedAt", "creditedMonth"} & row.keys()
            if len(credited) != (2 if row["status"] == "CREDIT_AWARDED" else 0):
                yield f"{where} is {row['status']} and has {sorted(credited)}"
            if credited and row["creditedAt"] != row["updatedAt"]:
                yield f"{where} was credited at another time than it was changed: {row}"
        for id_, standing in self._standings.items():
            due = {"dueAt", "dueShard"} & standing.keys()
            if due and (len(due) < 2 or id_ in self._living):
                yield f"the standing of {id_} is in the due index: {standing}"

    def _counts(self, standing: Item) -> Iterator[str]:
        id_ = standing["participantId"]
        credited = [r for r in self._rows[id_] if r["status"] == "CREDIT_AWARDED"]
        if standing["referralCount"] != len(credited):
            yield f"{id_} counts {standing['referralCount']} referrals, has {len(credited)}"
        by_month = Counter(int(row["creditedMonth"]) for row in credited)
        for row in credited:
            if month_at(int(row["creditedAt"])) != row["creditedMonth"]:
                yield f"the credit of {row['referredId']} is counted in another month: {row}"
        slots = _slots(standing)
        for month, count in slots.items():
            if count != by_month[month] or not count or month > self._month:
                yield f"{id_} counts {count} in month {month}, has {by_month[month]}"
        for month in (self._month, self._month - 1):
            if by_month[month] != slots.get(month, 0):
                yield f"{id_} counts {slots.get(month, 0)} in {month}, has {by_month[month]}"

        year, in_year = map(int, standing.get("year") or (year_of(self._month), 0))
        credited_then = sum(1 for row in credited if year_of(int(row["creditedMonth"])) == year)
        if in_year != credited_then or year > year_of(self._month):
            yield f"{id_} counts {in_year} in the year {year}, has {credited_then}"

    def _boards(self, standing: Item) -> Iterator[str]:
        """The index attributes, from the counts as the facts have them."""
        id_, sequence = standing["participantId"], int(standing["joinSequence"])
        credited = [r for r in self._rows[id_] if r["status"] == "CREDIT_AWARDED"]
        last = _UNIT - 1 - sequence
        wanted: Item = {
            "allTimeBoard": keys.all_time_board(self._campaign_id),
            "allTimePosition": len(credited) * _UNIT + last,
            "joinOrderOf": keys.join_order(self._campaign_id),
        }
        for month in _slots(standing):
            count = sum(1 for row in credited if row["creditedMonth"] == month)
            parity = "odd" if month % 2 else "even"
            wanted[f"{parity}MonthBoard"] = keys.month_board(self._campaign_id, month)
            wanted[f"{parity}MonthPosition"] = count * _UNIT + last
        found = {name: value for name, value in standing.items() if name in _BOARDS}
        if found != wanted:
            yield f"{id_} stands at {found} in the boards, should be at {wanted}"

    def _links(self) -> Iterator[str]:
        """What is counted of a link agrees with its visitors and with the boards."""
        for id_ in self._visitors.keys() - self._impressions.keys():
            yield f"visitors of {id_} are counted nowhere"
        for id_, seen in self._impressions.items():
            standing = self._standings.get(id_, {})
            total, unique, alive = seen["total"], seen["unique"], id_ in self._living
            wanted: Item = {}
            if alive and total:
                wanted["allTimeBoard"] = keys.impression_board(self._campaign_id)
                wanted["allTimePosition"] = (total + 1) * _UNIT - 1 - standing["joinSequence"]
                wanted["oddMonthBoard"] = keys.visited(self._campaign_id)
                wanted["oddMonthPosition"] = standing["joinSequence"]
            if alive and unique:
                wanted["evenMonthBoard"] = keys.unique_impression_board(self._campaign_id)
                wanted["evenMonthPosition"] = (unique + 1) * _UNIT - 1 - standing["joinSequence"]
            found = {name: value for name, value in seen.items() if name in _BOARDS}
            if found != wanted:
                yield f"the link of {id_} stands at {found}, should be at {wanted}"
            # The boards rely on it: nobody is seen but by a first visitor.
            if alive and (total > 0) != (unique > 0):
                yield f"{id_} has {unique} unique of {total} impressions"
            if alive and not self._visitors[id_] <= unique <= total:
                yield f"{id_} has {unique} of {total} unique, {self._visitors[id_]} visitors"
            if not alive and (total or unique or json.loads(seen["shares"])):
                yield f"the link of {id_} counts although nobody is there: {seen}"
            if ({"deletedAt", "expiresAt"} <= seen.keys()) == alive:
                yield f"the impressions of {id_} say the wrong thing of their life: {seen}"

    def _invited(self) -> Iterator[str]:
        """Every invite is counted; who has joined through one is counted still."""
        for id_ in self._invites.keys() & self._living.keys() - self._invitations.keys():
            yield f"invites of {id_} are counted nowhere"
        for id_, counted in self._invitations.items():
            alive = id_ in self._living
            if alive and counted["inviteCount"] < self._invites[id_]:
                yield f"{id_} counts {counted['inviteCount']} invites, has {self._invites[id_]}"
            if not alive and counted["inviteCount"]:
                yield f"{id_} counts invites although nobody is there: {counted}"
            if ({"deletedAt", "expiresAt"} <= counted.keys()) == alive:
                yield f"the invitations of {id_} say the wrong thing of their life: {counted}"

    def _projection(self, *, rebuilt: bool) -> Iterator[str]:
        standings = [Standing.from_item(_whole(each)) for each in self._standings.values()]
        yield from rank_index.problems(
            rank_index.of_head(self._ranks), standings, self._month, rebuilt=rebuilt
        )
        winners = sum(
            id_ in self._living and each.get("approved", 0) > 0
            for id_, each in self._earnings.items()
        )
        if self._totals.get("winnerCount", 0) != winners:
            yield f"totals say {self._totals}, there are {winners} winners"
        seen = sum(each["total"] for each in self._impressions.values())
        if self._totals.get("impressionCount", 0) != seen:
            yield f"totals say {self._totals}, there are {seen} impressions"
        invited = sum(each["inviteCount"] for each in self._invitations.values())
        if self._totals.get("inviteCount", 0) != invited:
            yield f"totals say {self._totals}, there are {invited} invites"
        sources = {
            "Earnings": self._earnings,
            "Impressions": self._impressions,
            "Invitations": self._invitations,
        }
        wanted = [
            (source, id_)
            for source, items in sources.items()
            for id_ in items
            if id_ in self._living or not rebuilt
        ]
        counted = {
            name: item
            for name, item in self._counted.items()
            if name[1] in self._living or not rebuilt
        }
        yield from _one_to_one("counted", counted, wanted)
        for (source, id_), item in counted.items():
            yield from self._one_counted(id_, item, sources[source].get(id_, {}))

    def _one_counted(self, id_: str, counted: Item, item: Item) -> Iterator[str]:
        """What the totals contain of a participant's `item`."""
        alive = id_ in self._living
        wanted = {"impressionCount": item.get("total")}
        if counted["source"] == "Earnings":
            wanted = {"winnerCount": int(alive and item.get("approved", 0) > 0)}
        if counted["source"] == "Invitations":
            wanted = {"inviteCount": item.get("inviteCount")}
        has = (counted["version"], json.loads(counted["amounts"]))
        if has != (item.get("version"), wanted):
            yield f"counted of {id_} is {has}, should be {wanted} of {item}"
        if ("expiresAt" in counted) == alive:
            yield f"counted of {id_} goes away at the wrong time: {counted}"
        generation = self._totals.get("generation", 0)
        if alive and any(wanted.values()) and counted["generation"] < generation:
            yield f"counted of {id_} is no part of the totals of {generation}: {counted}"


def _whole(value: Any) -> Any:
    """With integers for the decimals that boto3 gives."""
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {name: _whole(each) for name, each in value.items()}
    return value


def _slots(standing: Item) -> dict[int, int]:
    """The months that a standing holds a count of."""
    slots = (standing.get(name) for name in ("evenMonth", "oddMonth"))
    return {int(month): int(count) for month, count in filter(None, slots)}
