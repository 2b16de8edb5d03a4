from __future__ import annotations

from dataclasses import replace

import pytest

from grapevine.engine.slugs import refuse_taken, writes_for
from grapevine.errors import InvalidRequest
from grapevine.table import keys
from grapevine.table.campaigns import Campaign
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, PRESENT, Delete, Put

PLAIN = Campaign(
    campaign_id="camp01", account_id="acct_1", name="C", currency_iso="USD", created_at=1
)
SUMMER = replace(PLAIN, slug="summer")
WINTER = replace(PLAIN, slug="winter")
GONE = replace(SUMMER, status="DELETED")

FREES = Delete(keys.campaign_slug("acct_1", "summer"), PRESENT)


def takes(slug: str) -> tuple[keys.Key, object]:
    return keys.campaign_slug("acct_1", slug), ABSENT


@pytest.mark.parametrize(
    ("before", "after", "taken", "freed"),
    [
        (None, PLAIN, [], []),
        (None, SUMMER, [takes("summer")], []),
        (PLAIN, SUMMER, [takes("summer")], []),
        (SUMMER, SUMMER, [], []),
        (SUMMER, replace(SUMMER, name="D"), [], []),
        (SUMMER, WINTER, [takes("winter")], [FREES]),
        (SUMMER, PLAIN, [], [FREES]),
        (SUMMER, GONE, [], [FREES]),
        (GONE, GONE, [], []),
    ],
)
def test_a_slug_comes_and_goes_with_its_campaign(
    before: Campaign | None, after: Campaign, taken: list[object], freed: list[object]
) -> None:
    writes = writes_for(before, after)

    assert [(each.key, each.condition) for each in writes if isinstance(each, Put)] == taken
    assert [each for each in writes if isinstance(each, Delete)] == freed


def test_only_a_slug_that_alone_was_in_the_way_is_taken() -> None:
    slug = keys.campaign_slug("acct_1", "summer")

    for failed in (frozenset[keys.Key](), {SUMMER.key}, {SUMMER.key, slug}):
        refuse_taken(SUMMER, TransactionCanceled(frozenset(failed)))
    refuse_taken(PLAIN, TransactionCanceled(frozenset({slug})))
    with pytest.raises(InvalidRequest):
        refuse_taken(SUMMER, TransactionCanceled(frozenset({slug})))
