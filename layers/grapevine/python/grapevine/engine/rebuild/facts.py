"""Whether each standing agrees with the referrals that it counts.

Both are facts, written in the same transactions, so they cannot disagree unless somebody has
changed the table past the API, or a backup has been restored that is not of one instant. Nothing
here can know which of the two is right, so a disagreement is told and left as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.parallel import in_parallel
from grapevine.engine.rebuild.findings import Findings, Kind
from grapevine.engine.rebuild.progress import Progress
from grapevine.errors import Busy
from grapevine.months import month_at, year_of
from grapevine.table import keys, store
from grapevine.table.referrals import credit_times
from grapevine.table.standings import Standing

_AT_ONCE = 100


def check_facts(
    campaign_id: str, ids: Sequence[str], findings: Findings, progress: Progress
) -> None:
    """Compares the standings of these participants, those who are alive, with their referrals."""
    month = month_at(runtime.now_ms())
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        living = _living(campaign_id, some)
        problems = in_parallel([partial(_problems, standing, month) for standing in living])
        for standing, found in zip(living, problems, strict=True):
            for problem in found:
                findings.add(Kind.FACT, f"{standing.participant_id}: {problem}")
        progress("checking referrals", start + len(some), len(ids))


def _living(campaign_id: str, ids: Sequence[str]) -> list[Standing]:
    """The standings of those who are alive, where they can be read."""
    found: list[Standing] = []
    for item in store.get_many(keys.standing(campaign_id, each) for each in ids).values():
        try:
            standing = Standing.from_item(item)
        except (KeyError, TypeError):
            continue
        if standing.deleted_at is None:
            found.append(standing)
    return found


def _problems(standing: Standing, month: int) -> list[str]:
    """As of a moment in which nobody was changing either."""
    campaign_id, id_ = standing.campaign_id, standing.participant_id
    try:
        for _ in attempts():
            found = disagreements(standing, credit_times(campaign_id, id_), month)
            now = _living(campaign_id, [id_]) if found else []
            if now in ([], [standing]):
                return found if now else []
            [standing] = now
    except Busy:
        return ["its counts kept changing and could not be checked"]
    raise AssertionError("attempts() ends by raising Busy")


def disagreements(standing: Standing, credited_at: Sequence[int], month: int) -> list[str]:
    """Where the counts of a living participant are not those of its credits (times in ms);
    `month` is the current one."""
    months = Counter(map(month_at, credited_at))
    years = Counter(year_of(month_at(time)) for time in credited_at)
    kept = {slot[0] for slot in (standing.even_month, standing.odd_month) if slot}
    said = [
        ("all", standing.referral_count, len(credited_at)),
        # No older month: its slot may have gone on to a later one, which was then taken back.
        *(
            (f"month {each}", standing.count_in(each), months[each])
            for each in sorted({month - 1, month, *kept})
        ),
    ]
    if standing.year:
        year, count = standing.year
        said.append((f"year {year}", count, years[year]))
    return [
        f"its standing counts {count} referrals of {what}, there are {there}"
        for what, count, there in said
        if count != there
    ]
