"""Whether a campaign is right after all that was done to it: ranks, index, failures, figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from grapevine import runtime
from grapevine.engine.ranks.boards import ALL_TIME
from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.reading import Ranks
from grapevine.table import rank_keys, store
from grapevine.table.attributes import Item
from tests.api import Json
from tests.benchmarks.campaigns import Campaign
from tests.rank_index import brute_force, problems

ON_PAGES, ONE_BY_ONE = 500, 50
_BLOCKS = 500


def check_everything(campaign: Campaign, credited: Sequence[int]) -> None:
    """Ranks over HTTP against sorting everybody, the index recounted, nothing given up. `credited`
    are those whose referrers have got a credit."""
    broken = [*_rank_problems(campaign, credited), *_index_problems(campaign)]
    lost = campaign.stack.queue_messages("StreamFailureQueue")
    if lost:
        broken.append(f"{len(lost)} records in the failure queue")
    print(f"{len(lost)} records in the failure queue.")
    log = campaign.engine.log
    print(
        f"{len(log.calls):,} calls metered, {len(log.disagreements)} of them otherwise than the "
        "sizes of their items amount to."
    )
    broken += log.disagreements[:5]
    campaign.bounds.broken += [f"{campaign.size:,}: {each[:300]}" for each in broken]


def _rank_problems(campaign: Campaign, credited: Sequence[int]) -> list[str]:
    people = campaign.people
    truth = brute_force(people.standings.values(), people.month)
    referrers = sorted(campaign.referrers_of(credited))[:: max(len(credited) // ONE_BY_ONE, 1)]
    shown = [
        *_rows_of_pages(campaign),
        *(campaign.api.read(campaign.id, people.id_of(one)) for one in referrers),
    ]
    wrong = [row["id"] for row in shown if _ranks(row) != truth[row["id"]]]
    print(f"\n{len(shown):,} participants read over HTTP, {len(wrong)} with a wrong rank.")
    return [f"wrong ranks of {wrong[:10]}"] if wrong else []


def _rows_of_pages(campaign: Campaign) -> Iterator[Json]:
    """Participants of pages at places all over join order."""
    pages = ON_PAGES // 100
    for page in range(1, pages + 1):
        start = campaign.people.id_of(campaign.size * page // pages)
        yield from campaign.api.page(campaign.id, limit=100, nextId=start)["participants"]


def _ranks(row: Json) -> Ranks:
    return Ranks(row["rank"], row["monthlyRank"], row["prevMonthlyRank"])


def _index_problems(campaign: Campaign) -> list[str]:
    """Every item of the index counted again, and the histogram of all scores."""
    people = campaign.people
    head, items = _index_of(campaign)
    found = list(problems([*items, head], people.standings.values(), people.month))
    scores = Counter(one.referral_count for one in people.standings.values() if one.referral_count)
    if decode(head["histograms"]).get(ALL_TIME, {}) != dict(scores):
        found.append("the histogram is not that of the standings")
    print(f"{len(items) + 1:,} items of the index counted again, {len(found)} problems.")
    return found[:5]


def _index_of(campaign: Campaign) -> tuple[Item, list[Item]]:
    """The head, and all other items."""
    with runtime.using(campaign.stack.runtime()):
        head = store.get(rank_keys.rank_head(campaign.id))
        assert head is not None
        # The items are spread over a few partitions; some of these numbers meet each of them.
        names = [
            rank_keys.rank_block(campaign.id, head["generation"], one) for one in range(_BLOCKS)
        ]
        partitions = sorted({name.partition for name in names})
        return head, [item for one in partitions for item in store.query(None, one)]
