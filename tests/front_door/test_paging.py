from __future__ import annotations

import pytest

from local.stack import Stack
from tests.api import Api
from tests.refusals import refusal

pytestmark = pytest.mark.both_engines

COUNT = 23


@pytest.fixture(scope="module")
def joined(stack: Stack) -> tuple[str, list[str]]:
    """A campaign and its participants, in the order in which they joined."""
    with Api(stack.url, stack.api_key) as api:
        campaign_id = api.campaign()
        referrer = api.add(campaign_id)["id"]
        ids = [referrer]
        for number in range(COUNT - 1):
            status = "CREDIT_AWARDED" if number % 3 else "CREDIT_PENDING"
            friend = api.add(
                campaign_id,
                referredBy=referrer,
                referralStatus=status,
                metadata={"parity": number % 2, "third": number % 3 == 0},
            )
            ids.append(friend["id"])
        return campaign_id, ids


@pytest.mark.parametrize("limit", [1, 2, 7, 22, 23, 24, 100])
def test_pages_of_any_size_make_up_the_full_set_newest_first(
    api: Api, joined: tuple[str, list[str]], limit: int
) -> None:
    campaign_id, ids = joined

    rows = api.all_pages(campaign_id, limit)

    assert [row["id"] for row in rows] == ids[::-1]


def test_rows_are_what_reading_each_one_answers(api: Api, joined: tuple[str, list[str]]) -> None:
    campaign_id, _ = joined

    rows = api.all_pages(campaign_id, 100)

    for row in (rows[0], rows[1], rows[-1]):
        assert row == api.read(campaign_id, row["id"])


def test_next_id_is_the_first_row_of_the_next_page_and_not_one_of_this(
    api: Api, joined: tuple[str, list[str]]
) -> None:
    campaign_id, ids = joined

    first = api.page(campaign_id, limit=5)
    second = api.page(campaign_id, limit=5, nextId=first["nextId"])

    assert first["nextId"] == ids[-6] == second["participants"][0]["id"]
    assert first["nextId"] not in [row["id"] for row in first["participants"]]
    assert first["limit"] == 5


def test_without_a_limit_a_page_has_ten(api: Api, joined: tuple[str, list[str]]) -> None:
    page = api.page(joined[0])

    assert (len(page["participants"]), page["limit"]) == (10, 10)


def test_the_last_page_has_no_next(api: Api, joined: tuple[str, list[str]]) -> None:
    campaign_id, ids = joined

    exact = api.page(campaign_id, limit=COUNT)
    oldest = api.page(campaign_id, nextId=ids[0])

    assert exact["nextId"] is None
    assert ([row["id"] for row in oldest["participants"]], oldest["nextId"]) == ([ids[0]], None)


def test_an_empty_campaign_has_one_empty_page(api: Api) -> None:
    page = api.page(api.campaign())

    assert page == {"participants": [], "limit": 10, "nextId": None}


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("101", "Limit cannot be more than 100."),
        ("200", "Limit cannot be more than 100."),
        ("99999999999999999999", "Limit cannot be more than 100."),
        ("0", "Limit must be at least 1."),
        ("-1", "Limit must be at least 1."),
        ("abc", "Limit must be a number."),
        ("", "Limit must be a number."),
        ("1.5", "Limit must be a number."),
        ("1e1", "Limit must be a number."),
        ("٣", None),
        ("1,2", "Limit must be a number."),
        ("9" * 5000, None),
        ("null", "Limit must be a number."),
    ],
)
def test_a_wrong_limit_is_refused_with_its_detail(
    api: Api, joined: tuple[str, list[str]], limit: str, message: str | None
) -> None:
    response = api.call("GET", f"/v2/campaign/{joined[0]}/participants", params={"limit": limit})

    body = refusal(response, 400)
    assert body["message"] == "Invalid request. Request params are missing or are invalid"
    [detail] = body["errors"]
    assert (detail["location"], detail["param"]) == ("query", "limit")
    assert detail["value"] == limit[:200]
    assert message is None or detail["msg"] == message


@pytest.mark.parametrize(
    "next_id", ["zzzzzz", "", "a b", "#", "../x", "x" * 300, "nobody@example.com", "\x00", "void-1"]
)
def test_an_unknown_cursor_gives_an_empty_last_page(
    api: Api, joined: tuple[str, list[str]], next_id: str
) -> None:
    page = api.page(joined[0], nextId=next_id)

    assert page == {"participants": [], "limit": 10, "nextId": None}


def test_no_forged_cursor_makes_a_list_of_participants_fail(
    api: Api, joined: tuple[str, list[str]]
) -> None:
    campaign_id, ids = joined
    forged = ["-", "~", " ", "\0", "é", "z" * 100, "z" * 101, ids[0] + ".", "abc.updatedAt.0.9"]
    places = [
        f"-.{name}.{count}.{n}"
        for name in ("all", "month1", "total")
        for count, n in (
            ("0", "0"),
            ("0", "9" * 10),
            ("9" * 9, "0"),
            ("9" * 9, "9" * 10),
            ("0" * 9, "1"),
        )
    ]
    boards = ("ALL_TIME", "CURRENT_MONTH", "TOTAL_IMPRESSION_COUNT")

    for next_id in (*forged, *places):
        for extra in (
            {},
            {"metadata[parity]": "1"},
            {"metadata[parity]": "1", "metadata[third]": "true"},
        ):
            page = api.page(campaign_id, nextId=next_id, **extra)
            assert {row["id"] for row in page["participants"]} <= set(ids)
        for board in boards:
            query = {"leaderboardType": board, "nextId": next_id}
            api.ok("GET", f"/v2/campaign/{campaign_id}/leaderboard", params=query)


def test_a_cursor_of_another_campaign_gives_nothing(
    api: Api, joined: tuple[str, list[str]]
) -> None:
    elsewhere = api.add(api.campaign())["id"]

    assert api.page(joined[0], nextId=elsewhere)["participants"] == []


def test_a_cursor_goes_on_when_its_participant_has_been_deleted(api: Api) -> None:
    campaign_id = api.campaign()
    ids = [api.add(campaign_id)["id"] for _ in range(5)]
    first = api.page(campaign_id, limit=2)
    api.delete(campaign_id, first["nextId"])

    second = api.page(campaign_id, limit=2, nextId=first["nextId"])

    assert first["nextId"] == ids[2]
    assert [row["id"] for row in second["participants"]] == [ids[1], ids[0]]
    assert second["nextId"] is None


def test_deleted_participants_leave_no_gaps_in_pages(api: Api) -> None:
    campaign_id = api.campaign()
    ids = [api.add(campaign_id)["id"] for _ in range(9)]
    for gone in (ids[0], ids[4], ids[5], ids[8]):
        api.delete(campaign_id, gone)

    left = [ids[7], ids[6], ids[3], ids[2], ids[1]]

    assert [row["id"] for row in api.all_pages(campaign_id, 2)] == left
    assert [len(api.page(campaign_id, limit=limit)["participants"]) for limit in (1, 4, 5)] == [
        1,
        4,
        5,
    ]


def test_newcomers_while_paging_are_not_mixed_in(api: Api) -> None:
    campaign_id = api.campaign()
    ids = [api.add(campaign_id)["id"] for _ in range(4)]
    first = api.page(campaign_id, limit=2)
    api.add(campaign_id)

    second = api.page(campaign_id, limit=2, nextId=first["nextId"])

    assert [row["id"] for row in second["participants"]] == [ids[1], ids[0]]


# By metadata


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_pages_by_metadata_make_up_all_that_match(
    api: Api, joined: tuple[str, list[str]], limit: int
) -> None:
    campaign_id, _ = joined
    everybody = api.all_pages(campaign_id, 100)
    matching = sorted(row["id"] for row in everybody if row["metadata"].get("parity") == 1)

    found: list[str] = []
    query = {"limit": limit, "metadata[parity]": "1"}
    while query.get("nextId") is not None or not found:
        page = api.page(campaign_id, **query)
        found += [row["id"] for row in page["participants"]]
        query["nextId"] = page["nextId"]

    assert found == matching
    assert len(found) == 11


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_all_of_several_values_must_match(
    api: Api, joined: tuple[str, list[str]], limit: int
) -> None:
    campaign_id, _ = joined
    everybody = api.all_pages(campaign_id, 100)
    wanted = {"parity": 0, "third": True}
    matching = sorted(row["id"] for row in everybody if row["metadata"] == wanted)

    found: list[str] = []
    query = {"limit": limit, "metadata[parity]": "0", "metadata[third]": "true"}
    while True:
        page = api.page(campaign_id, **query)
        found += [row["id"] for row in page["participants"]]
        if page["nextId"] is None:
            break
        query["nextId"] = page["nextId"]

    assert found == matching
    assert len(found) == 4


@pytest.mark.parametrize("query", [{"metadata[parity]": "2"}, {"metadata[nothing]": "1"}])
def test_metadata_that_nobody_has_finds_nobody(
    api: Api, joined: tuple[str, list[str]], query: dict[str, str]
) -> None:
    assert api.page(joined[0], **query)["participants"] == []


def test_metadata_is_found_by_what_it_is_now(api: Api) -> None:
    campaign_id = api.campaign()
    kept, changed, gone = (api.add(campaign_id, metadata={"plan": "pro"})["id"] for _ in range(3))
    api.update(campaign_id, changed, metadata={"plan": "free"})
    api.delete(campaign_id, gone)

    pro = api.page(campaign_id, **{"metadata[plan]": "pro"})["participants"]
    free = api.page(campaign_id, **{"metadata[plan]": "free"})["participants"]

    assert [row["id"] for row in pro] == [kept]
    assert [row["id"] for row in free] == [changed]


@pytest.mark.parametrize(
    "query",
    [
        {f"metadata[k{number}]": "1" for number in range(4)},
        {"metadata": "pro"},
        {"metadata[]": "pro"},
        {"metadata[gdprAgreements]": "1"},
    ],
)
def test_a_wrong_metadata_filter_is_refused(
    api: Api, joined: tuple[str, list[str]], query: dict[str, str]
) -> None:
    response = api.call("GET", f"/v2/campaign/{joined[0]}/participants", params=query)

    refusal(response, 400)
