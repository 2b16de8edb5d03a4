"""Everything that a rebuild does for a campaign, in its order."""

from __future__ import annotations

from grapevine.engine.rebuild import generations
from grapevine.engine.rebuild.facts import check_facts
from grapevine.engine.rebuild.findings import Findings
from grapevine.engine.rebuild.period_boards import rebuild_periods
from grapevine.engine.rebuild.points import Ranking, rebuild_points
from grapevine.engine.rebuild.progress import Progress
from grapevine.engine.rebuild.ranks import indexed_blocks, rebuild_ranks
from grapevine.engine.rebuild.recount import Recount
from grapevine.engine.rebuild.standings import Reader
from grapevine.errors import NotFound
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.points_board import PointsBoard


def rebuild(campaign_id: str, progress: Progress) -> Findings:
    """What was wrong with the campaign's projections; they are right now, while traffic goes on.

    Raises:
        NotFound: there is no such campaign.
        Busy: another rebuild of it is under way, or was faster. Repeating is safe.
    """
    item = store.get(keys.campaign(campaign_id)) if keys.is_id(campaign_id) else None
    if item is None:
        raise NotFound(f"there is no campaign {campaign_id}")
    campaign = Campaign.from_item(item)
    findings = Findings()
    draft = rebuild_ranks(campaign_id, findings, progress)
    recount = Recount.begin(campaign_id, findings)
    # Whoever has been counted in the totals before this moment is in the rank index by now.
    reader = Reader(draft, findings)
    reader.list_newcomers()
    reader.newer(indexed_blocks(generations.current(campaign_id).head))
    ids = [draft.ids[sequence] for sequence in sorted(draft.ids)]
    recount.count(ids, progress)
    recount.finish()
    rebuild_points(Ranking(PointsBoard(campaign_id)), findings, progress)
    rebuild_periods(campaign, findings, progress)
    check_facts(campaign_id, ids, findings, progress)
    return findings
