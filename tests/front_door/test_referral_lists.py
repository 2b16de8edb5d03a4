"""Lists of referrals and invites: every order, direction and filter, paged in each way."""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from grapevine import runtime
from grapevine.engine.referral_lists import listing
from grapevine.engine.referral_lists.listing import Wanted
from grapevine.engine.referral_lists.orders import Filters
from grapevine.engine.referral_lists.patience import Patience
from grapevine.errors import InvalidRequest
from grapevine.months import month_at
from grapevine.table import keys, store
from grapevine.table.invites import Invite
from grapevine.table.participants import Profile
from grapevine.table.referral_rows import Scope
from grapevine.table.referrals import Referral, ReferralStatus
from grapevine.table.writes import ABSENT, PRESENT, Delete, Put, Write, version
from local.stack import Stack
from tests import accounts
from tests.api import Api, Json, unique_email
from tests.refusals import refusal

PENDING, AWARDED, EXPIRED = "CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"
SENT = "INVITE_SENT"
MASK = "*" * 15
SORTS = [
    "updatedAt",
    "createdAt",
    "email",
    "referralTriggeredAt",
    "referralStatus",
    "firstName",
    "lastName",
]
NAMES = [None, "Ada", "ada", "Grace", "Édith", "GRACE", "zoë", "Ada Maria"]
LATEST = 1_700_000_000_000


@dataclass(frozen=True)
class World:
    """A campaign, its referrers, and all rows that lists of it can show."""

    campaign_id: str
    referrers: list[str]
    rows: list[Json]

    def of(self, scope: str | None) -> list[Json]:
        return [row for row in self.rows if scope in (None, row["referredBy"])]


@pytest.fixture(scope="module")
def world(stack: Stack) -> World:
    """Three referrals by the API, in all states; the others, many with the same times and names,
    are put into the table past it."""
    with Api(stack.url, stack.api_key) as api:
        campaign_id = api.campaign()
        referrers = [api.add(campaign_id)["id"] for _ in range(3)]
        for status in (PENDING, AWARDED, EXPIRED):
            email = unique_email("Mixed.Case")
            joined = {"firstName": "Ada", "lastName": "Lovelace", "referredBy": referrers[0]}
            friend = api.add(campaign_id, email, **joined, referralStatus=PENDING)["id"]
            api.update(campaign_id, friend, referralStatus=status)
        with runtime.using(stack.runtime()):
            put_rows(campaign_id, referrers)
            rows = [
                shown(item)
                for referrer in referrers
                for item in store.query(None, keys.profile(campaign_id, referrer).partition)
                if item["type"] in {"Referral", "Invite"}
            ]
    return World(campaign_id, referrers, rows)


def put_rows(campaign_id: str, referrers: list[str]) -> None:
    chance = random.Random(5)  # noqa: S311 - made-up people
    writes: list[Write] = []
    for number in range(30):
        referrer = referrers[number % 2]
        referral = a_referral(chance, campaign_id, referrer, f"friend{number:02}")
        friend = Profile(
            campaign_id=campaign_id,
            participant_id=referral.referred_id,
            email=referral.email,
            first_name=referral.first_name,
            last_name=referral.last_name,
            created_at=referral.created_at,
            referral_source="PARTICIPANT",
            referrer_id=referrer,
        )
        writes += [Put(referral.to_item(), ABSENT), Put(friend.to_item(), ABSENT)]
    writes += [
        Put(an_invite(campaign_id, referrers[n % 2], f"hash{n}", chance).to_item(), ABSENT)
        for n in range(9)
    ]
    store.transact(writes)


def a_referral(
    chance: random.Random, campaign_id: str, referrer_id: str, referred_id: str
) -> Referral:
    statuses: list[ReferralStatus] = ["CREDIT_PENDING", "CREDIT_AWARDED", "CREDIT_EXPIRED"]
    status = chance.choice(statuses)
    created_at = LATEST - chance.randrange(8)
    updated_at = created_at + chance.randrange(4)
    credited_at = updated_at if status == "CREDIT_AWARDED" else None
    return Referral(
        campaign_id=campaign_id,
        referrer_id=referrer_id,
        referred_id=referred_id,
        email=f"{chance.choice(['a#b', 'Ann', 'ann.e', 'zoë'])}-{referred_id}@example.com",
        first_name=chance.choice(NAMES),
        last_name=chance.choice(NAMES),
        status=status,
        created_at=created_at,
        updated_at=updated_at,
        pending_since=created_at,
        credited_at=credited_at,
        credited_month=month_at(credited_at) if credited_at else None,
    )


def an_invite(
    campaign_id: str, referrer_id: str, address_hash: str, chance: random.Random
) -> Invite:
    return Invite(
        campaign_id=campaign_id,
        referrer_id=referrer_id,
        address_hash=address_hash,
        email=f"secret-{address_hash}@example.com",
        request_hash="request",
        message_id="message",
        created_at=LATEST - chance.randrange(8),
    )


def shown(item: Json) -> Json:
    """What a list shows of an item, worked out from the item alone."""
    invited = item["type"] == "Invite"
    return {
        "id": f"{item['referrerId']}-{item['addressHash']}" if invited else item["referredId"],
        "email": MASK if invited else item["email"],
        "firstName": None if invited else item.get("firstName"),
        "lastName": None if invited else item.get("lastName"),
        "referralStatus": SENT if invited else item["status"],
        "referredBy": item["referrerId"],
        "createdAt": item["createdAt"],
        "updatedAt": item["createdAt"] if invited else item["updatedAt"],
    }


def expected(rows: Iterable[Json], sort_by: str, *, desc: bool, **filters: str) -> list[str]:
    """The ids of the matching rows in their order."""

    def value(row: Json) -> Any:
        match sort_by:
            case "referralTriggeredAt":
                return row["updatedAt"]
            case "referralStatus":
                return (row["referralStatus"], row["updatedAt"])
            case "email" | "firstName" | "lastName":
                return (row[sort_by] or "").casefold()
        return row[sort_by]

    def comes_last(row: Json) -> bool:
        if sort_by == "referralTriggeredAt":
            return bool(row["referralStatus"] != AWARDED)
        return sort_by in {"firstName", "lastName"} and not row[sort_by]

    matching = [row for row in rows if matches(row, filters)]
    ordered = sorted(matching, key=lambda row: (value(row), row["id"]), reverse=desc)
    return [row["id"] for row in sorted(ordered, key=comes_last)]


def matches(row: Json, filters: dict[str, str]) -> bool:
    if "referralStatus" in filters and row["referralStatus"] != filters["referralStatus"]:
        return False
    named = {"email", "firstName", "lastName"} & filters.keys()
    if named and row["referralStatus"] == SENT:
        return False
    return all((row[name] or "").casefold() == filters[name].casefold() for name in named)


def path_of(campaign_id: str, scope: str | None = None) -> str:
    whose = f"/participant/{scope}" if scope else ""
    return f"/v2/campaign/{campaign_id}{whose}/referrals"


def by_cursor(api: Api, path: str, **query: Any) -> list[Json]:
    rows: list[Json] = []
    for _ in range(200):
        page = api.ok("GET", path, params=query)
        rows += page["referrals"]
        assert page["more"] is (page["nextId"] is not None)
        if not page["more"]:
            assert page["nextOffset"] is None
            return rows
        assert len(page["referrals"]) == page["limit"]
        query["nextId"] = page["nextId"]
    raise AssertionError("the pages never end")


def by_offset(api: Api, path: str, **query: Any) -> list[Json]:
    rows: list[Json] = []
    for _ in range(200):
        page = api.ok("GET", path, params=query)
        rows += page["referrals"]
        if page["nextOffset"] is None:
            assert not page["more"]
            return rows
        assert page["nextOffset"] == len(rows)
        query["offset"] = page["nextOffset"]
    raise AssertionError("the pages never end")


def ids(rows: Iterable[Json]) -> list[str]:
    return [row["id"] for row in rows]


@pytest.fixture(params=["campaign", "participant"])
def scope(request: pytest.FixtureRequest, world: World) -> str | None:
    return world.referrers[0] if request.param == "participant" else None


@pytest.mark.both_engines
@pytest.mark.parametrize("desc", [True, False])
@pytest.mark.parametrize("sort_by", SORTS)
def test_pages_of_every_order_make_up_the_model_s_list(
    api: Api, world: World, scope: str | None, sort_by: str, desc: bool
) -> None:
    path, rows = path_of(world.campaign_id, scope), world.of(scope)
    order: Json = {"sortBy": sort_by, "desc": str(desc).lower()}

    by_id = by_cursor(api, path, limit=5, **order)
    by_number = by_offset(api, path, limit=7, **order)
    at_once = by_cursor(api, path, limit=100, **order)

    wanted = expected(rows, sort_by, desc=desc)
    assert ids(by_id) == ids(by_number) == ids(at_once) == wanted
    assert sorted(at_once, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])


@pytest.mark.parametrize("sort_by", SORTS)
def test_filters_leave_the_model_s_rows_in_the_same_order(
    api: Api, world: World, scope: str | None, sort_by: str
) -> None:
    path, rows = path_of(world.campaign_id, scope), world.of(scope)
    chance = random.Random(sort_by)  # noqa: S311 - which filters go with which order
    mixed = next(row["email"] for row in rows if row["email"].startswith("Mixed"))
    statuses = [PENDING, AWARDED, EXPIRED, SENT]
    choices: list[Json] = [
        *({"referralStatus": status} for status in statuses),
        {"firstName": chance.choice(["ada", "GRACE", "édith"])},
        {"lastName": "Ada", "referralStatus": chance.choice(statuses)},
        {"email": mixed.upper()},
        {"email": mixed, "referralStatus": PENDING},
        {"email": mixed, "firstName": "grace"},
    ]

    for filters in choices:
        desc = chance.random() < 0.5
        query: Json = {"sortBy": sort_by, "desc": desc, "limit": chance.choice([2, 3, 50])}

        wanted = expected(rows, sort_by, desc=desc, **filters)
        assert ids(by_cursor(api, path, **query, **filters)) == wanted, filters
        assert ids(by_offset(api, path, **query, **filters)) == wanted, filters


@pytest.mark.parametrize("sort_by", SORTS)
def test_a_row_s_id_begins_where_the_row_stands(
    api: Api, world: World, scope: str | None, sort_by: str
) -> None:
    path, rows = path_of(world.campaign_id, scope), world.of(scope)
    order = expected(rows, sort_by, desc=True)
    invited = next(row["id"] for row in rows if row["referralStatus"] == SENT)
    credited = next(row["id"] for row in rows if row["referralStatus"] == AWARDED)
    other = api.ok("GET", path, params={"sortBy": "createdAt", "limit": 3})["nextId"]

    for next_id in (invited, credited, other):
        page = api.ok("GET", path, params={"sortBy": sort_by, "limit": 3, "nextId": next_id})

        at = order.index(next_id.split(".")[0])
        assert ids(page["referrals"]) == order[at : at + 3]


def test_by_default_the_last_changed_ten_come_first(api: Api, world: World) -> None:
    path = path_of(world.campaign_id)

    page = api.ok("GET", path)
    ignoring = api.ok("GET", path, params={"sortBy": "nothing", "referralStatus": "SOMETHING"})

    assert ids(page["referrals"]) == expected(world.rows, "updatedAt", desc=True)[:10]
    assert (page["limit"], page["nextOffset"], page["more"]) == (10, 10, True)
    assert page["nextId"].startswith(expected(world.rows, "updatedAt", desc=True)[10])
    assert ignoring == page


def test_next_id_counts_more_than_an_offset(api: Api, world: World) -> None:
    path = path_of(world.campaign_id)
    next_id = api.ok("GET", path, params={"limit": 4})["nextId"]

    page = api.ok("GET", path, params={"limit": 4, "nextId": next_id, "offset": 20})

    assert ids(page["referrals"]) == expected(world.rows, "updatedAt", desc=True)[4:8]
    assert page["nextOffset"] is None


def test_an_offset_beyond_the_end_gives_an_empty_last_page(api: Api, world: World) -> None:
    for sort_by in SORTS:
        page = api.ok("GET", path_of(world.campaign_id), params={"sortBy": sort_by, "offset": 500})

        assert page == {
            "referrals": [],
            "limit": 10,
            "nextOffset": None,
            "nextId": None,
            "more": False,
        }


def test_a_participant_is_named_by_address_as_well(api: Api, world: World) -> None:
    referrer = world.referrers[0]
    email = api.read(world.campaign_id, referrer)["email"]

    by_id, by_email = (
        api.ok("GET", path_of(world.campaign_id, name)) for name in (referrer, email.upper())
    )

    assert by_id == by_email
    assert by_id["referrals"]


def test_who_referred_nobody_has_an_empty_list(api: Api, world: World) -> None:
    page = api.ok("GET", path_of(world.campaign_id, world.referrers[2]))

    assert (page["referrals"], page["more"]) == ([], False)


@pytest.mark.parametrize(
    "email",
    ["secret-hash1@example.com", MASK, "nobody", "nobody@example.com", "@", "a" * 2000 + "@x.com"],
)
def test_an_address_filter_never_finds_an_invite_and_never_fails(
    api: Api, world: World, scope: str | None, email: str
) -> None:
    page = api.ok("GET", path_of(world.campaign_id, scope), params={"email": email})

    assert (page["referrals"], page["more"]) == ([], False)


def test_no_answer_holds_an_invited_address(api: Api, world: World, scope: str | None) -> None:
    path = path_of(world.campaign_id, scope)

    for sort_by in SORTS:
        answer = api.call("GET", path, params={"sortBy": sort_by, "limit": 100})
        cursors = [
            api.ok("GET", path, params={"sortBy": sort_by, "limit": 1, "offset": offset})["nextId"]
            for offset in range(0, 12, 3)
        ]

        assert "secret" not in answer.text
        assert not any("c2VjcmV0" in (cursor or "") for cursor in cursors)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "101"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "1.5"}, "offset"),
        ({"offset": "abc"}, "offset"),
        ({"offset": "٣"}, "offset"),
        ({"desc": "perhaps"}, "desc"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_detail(
    api: Api, world: World, query: Json, param: str
) -> None:
    response = api.call("GET", path_of(world.campaign_id), params=query)

    [detail] = refusal(response, 400)["errors"]
    assert (detail["location"], detail["param"]) == ("query", param)


@pytest.mark.parametrize(
    "next_id",
    [
        "zzzzzz",
        "",
        "a b",
        "#",
        "x" * 300,
        "nobody-hash",
        "-",
        "a-b-c",
        "a@example.com",
        "\x00",
        "zzzzzz.email.0.",
        "zzzzzz.email.0._w",
        "zzzzzz.email.7.YQ",
        "zzzzzz.email.0." + "Y" * 1300,
        "zzzzzz.email.0." + "Y" * 1200,
        "zzzzzz.email.0.Y",
        "zzzzzz.updatedAt.0.99999999999999999999",
        "zzzzzz.updatedAt.0.1a",
        "zzzzzz.updatedAt.1.5",
        "zzzzzz.referralStatus.3.",
        "a-b.createdAt.0.0",
    ],
)
def test_a_cursor_that_nobody_gave_never_fails(api: Api, world: World, next_id: str) -> None:
    for sort_by in ("email", "updatedAt", "referralStatus", "createdAt", "firstName"):
        query = {"sortBy": sort_by, "nextId": next_id, "desc": "false"}
        page = api.ok("GET", path_of(world.campaign_id), params=query)

        if next_id == "zzzzzz" or sort_by not in next_id:
            assert page["referrals"] == []
        assert {row["id"] for row in page["referrals"]} <= set(ids(world.rows))


FORGED_TIMES = ["0", "1", "000000000000000", str(LATEST), "9" * 14, "9" * 15, "9" * 16, "", "x"]
FORGED_TEXTS = ["", "\0", "\1", " ", "!", "#", "*" * 15, "~", "é", "\U0010ffff" * 2, "\x7f" * 900]


def forged_places(sort_by: str) -> list[str]:
    """Places that no page has led to, in every segment of an order and behind them."""
    texts = [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in FORGED_TEXTS]
    is_text = sort_by in {"email", "firstName", "lastName"}
    values = [*texts, "x"] if is_text else [*FORGED_TIMES, texts[0], texts[1]]
    places = itertools.product(("-", "z" * 100), range(4), values)
    return [f"{row_id}.{sort_by}.{segment}.{value}" for row_id, segment, value in places]


@pytest.mark.parametrize("sort_by", SORTS)
def test_no_forged_place_makes_a_list_fail(
    stack: Stack, api: Api, world: World, sort_by: Any
) -> None:
    rows = set(ids(world.rows))
    referrer = world.referrers[0]
    # By name all is gathered, and the place only counts in memory: one scope shows it.
    scopes = (referrer,) if sort_by in {"firstName", "lastName"} else (None, referrer)
    with runtime.using(stack.runtime()):
        for one, forged, desc in itertools.product(scopes, forged_places(sort_by), (True, False)):
            wanted = Wanted(sort_by=sort_by, descending=desc, limit=3, next_id=forged)
            page = listing.page(Scope(world.campaign_id, one), wanted)
            assert {row.row_id for row in page.rows} <= rows
    for flag, value in (("false", "9" * 15), ("true", "AQ")):
        query = {"sortBy": sort_by, "desc": flag, "nextId": f"abc.{sort_by}.0.{value}"}
        api.ok("GET", path_of(world.campaign_id), params=query)


def test_rows_and_places_of_another_campaign_give_nothing_away(
    stack: Stack, api: Api, world: World
) -> None:
    with accounts.another_account(stack) as other:
        foreign = other.campaign()
        referrer = other.add(foreign)["id"]
        friend = other.add(foreign, referredBy=referrer)["id"]
        own = ids(world.rows)
        cursors = [
            api.ok("GET", path_of(world.campaign_id), params={"sortBy": sort_by})["nextId"]
            for sort_by in SORTS
        ]

        for next_id in (own[0], own[-1]):
            page = other.ok("GET", path_of(foreign), params={"nextId": next_id})
            assert page["referrals"] == []
        for sort_by, next_id in zip(SORTS, cursors, strict=True):
            for desc in ("true", "false"):
                query = {"sortBy": sort_by, "nextId": next_id, "desc": desc}
                page = other.ok("GET", path_of(foreign), params=query)
                assert set(ids(page["referrals"])) <= {friend}
        refusal(other.call("GET", path_of(world.campaign_id)), 403)
        refusal(other.call("GET", path_of(world.campaign_id, world.referrers[0])), 403)
        refusal(other.call("GET", path_of(foreign, world.referrers[0])), 400)


def test_another_participant_s_row_begins_nothing(api: Api, world: World) -> None:
    one, other, _ = world.referrers
    theirs = next(row["id"] for row in world.of(other) if row["referralStatus"] == AWARDED)
    invite = next(row["id"] for row in world.of(other) if row["referralStatus"] == SENT)

    for next_id in (theirs, invite):
        page = api.ok("GET", path_of(world.campaign_id, one), params={"nextId": next_id})
        assert page["referrals"] == []


@pytest.mark.both_engines
@pytest.mark.parametrize("sort_by", ["updatedAt", "createdAt", "email", "referralTriggeredAt"])
def test_rows_that_change_between_pages_neither_skip_nor_repeat_the_others(
    stack: Stack, api: Api, sort_by: str
) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    friends = [api.add(campaign_id, referredBy=referrer)["id"] for _ in range(8)]
    path = path_of(campaign_id, referrer)
    query: Json = {"sortBy": sort_by, "limit": 3, "desc": "false"}
    before = ids(by_cursor(api, path, **query))
    first = api.ok("GET", path, params=query)

    renamed, credited, deleted, first_of_next = before[1], before[4], before[5], before[3]
    api.update(campaign_id, renamed, email=unique_email("zz"), firstName="Zed")
    api.trigger(campaign_id, credited)
    api.delete(campaign_id, deleted)
    api.delete(campaign_id, first_of_next)
    rest = ids(by_cursor(api, path, **query, nextId=first["nextId"]))

    changed = {renamed, credited, deleted, first_of_next}
    assert set(friends) == set(before)
    assert [one for one in rest if one not in changed] == [
        one for one in before[3:] if one not in changed
    ]
    assert not {deleted, first_of_next} & set(rest)


def test_a_list_follows_what_happens_to_the_friends(api: Api) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    friend, other = (api.add(campaign_id, referredBy=referrer)["id"] for _ in range(2))
    email = unique_email()
    read: Callable[[str | None], Json] = lambda scope: {  # noqa: E731 - called four times
        row["id"]: row for row in api.ok("GET", path_of(campaign_id, scope))["referrals"]
    }
    before = read(referrer)

    api.update(campaign_id, friend, email=email, firstName="Nelson")
    api.trigger(campaign_id, friend)
    api.delete(campaign_id, other)
    after = read(referrer)

    assert set(before) == {friend, other}
    assert read(None) == after
    assert set(after) == {friend}
    assert after[friend]["email"] == email
    assert after[friend]["firstName"] == "Nelson"
    assert after[friend]["referralStatus"] == AWARDED
    assert after[friend]["createdAt"] == before[friend]["createdAt"]
    assert after[friend]["updatedAt"] >= before[friend]["updatedAt"]


def test_a_row_that_is_gone_from_the_table_is_left_out_of_its_page(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    friends = [api.add(campaign_id, referredBy=referrer)["id"] for _ in range(3)]
    with runtime.using(stack.runtime()):
        key = keys.referral(campaign_id, referrer, friends[1])
        item = store.get(key)
        assert item is not None
        changed = {**item, "version": item["version"] + 1}
        store.transact([Put(changed, version(item["version"]))])
        store.transact([Delete(key, PRESENT)])

    for sort_by in SORTS:
        rows = by_cursor(api, path_of(campaign_id), sortBy=sort_by, limit=1)
        assert set(ids(rows)) == {friends[0], friends[2]}


@pytest.mark.parametrize(
    "wanted",
    [Wanted(sort_by="firstName"), Wanted(filters=Filters(first_name="Ada")), Wanted(offset=10**6)],
)
def test_what_takes_too_long_to_look_through_is_refused(
    stack: Stack, api: Api, monkeypatch: pytest.MonkeyPatch, wanted: Wanted
) -> None:
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    with runtime.using(stack.runtime()):
        for _ in range(2):
            api.add(campaign_id, referredBy=referrer)
        monkeypatch.setattr("grapevine.engine.referral_lists.walking._MOST_AT_ONCE", 1)

        for scope in (Scope(campaign_id), Scope(campaign_id, referrer)):
            with pytest.raises(InvalidRequest, match="too many referrals"):
                listing.page(scope, wanted, Patience(0))
