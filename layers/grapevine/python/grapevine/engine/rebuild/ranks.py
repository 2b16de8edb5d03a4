"""The rank index of a campaign, made anew from its standings while workers go on with the old one.

1. Everybody alive is read into a draft, block by block. Workers keep the old generation meanwhile.
2. What the old generation counts in a later version than the draft is read again. The versions of
   the dead are taken over from it, so that an old record that comes late cannot revive them.
3. The draft is written as a generation of its own, which nobody reads.
4. The head is put, under the condition that it is as it was read: the new generation counts.
5. The old generation stands still now. What it counts in a later version than the draft is read
   again and given to the new one like any batch of the stream.

Why nothing is lost: a change that has been committed is in the stream. A worker that has brought it
into the old generation has either published it before step 4, and then step 2 or 5 finds its
version, or it could not publish, goes round again and brings it into the new one (see
`maintenance`). Whatever comes later goes to the new one by itself. What the stream had lost before
is in the standings, which step 1 has read.

Why nothing counts twice: a participant's version decides in either generation.

What readers see: one batch of the old generation, then the new one. Between steps 4 and 5, for
seconds, changes may be missing that were committed since step 2. Whoever has read the old head goes
on with the old generation, whose items stay until the next rebuild, a minute later at the least.

When the process dies: before step 4 nobody has seen anything, and the next rebuild claims another
generation. After it, changes of the last seconds may be missing from ranks until their participants
change again, or the next rebuild.
"""

from __future__ import annotations

from grapevine.engine.ranks.boards import Boards
from grapevine.engine.ranks.maintenance import maintain
from grapevine.engine.ranks.tree import SHAPE
from grapevine.engine.rebuild import generations
from grapevine.engine.rebuild.draft import Draft
from grapevine.engine.rebuild.findings import Findings
from grapevine.engine.rebuild.progress import Progress
from grapevine.engine.rebuild.replaced import Replaced, blocks_in
from grapevine.engine.rebuild.standings import Reader
from grapevine.table import rank_keys, store
from grapevine.table.campaigns import last_join_sequence
from grapevine.table.ranks import RankHead, of_generation


def rebuild_ranks(campaign_id: str, findings: Findings, progress: Progress) -> Draft:
    """The draft of the index that counts now; its ids are those of everybody in the index.

    Raises:
        Busy: another rebuild was faster; or the stream is catching up too fast. Repeating is safe.
    """
    before = generations.current(campaign_id).head
    oldest = generations.clear_old(before)
    generation = generations.claim(campaign_id, before.generation)
    draft = Draft(campaign_id, before.month)
    reader = Reader(draft, findings)
    reader.read_everybody(progress)
    draft.count(reader.newer(indexed_blocks(generations.current(campaign_id).head)))
    generations.write(
        draft, generation, lambda done, of: progress("writing the rank index", done, of)
    )
    replaced_head = generations.take_over(draft, generation, oldest)
    items = of_generation(campaign_id, replaced_head.head.generation)
    replaced = Replaced(replaced_head, items, findings)
    # What a worker has written and could not publish may be in the blocks, too: it does no harm.
    newer = reader.newer(replaced.blocks)
    maintain(campaign_id, newer)
    replaced.compare(draft, newer)
    return draft


def indexed_blocks(head: RankHead) -> dict[int, Boards]:
    """All blocks of the generation that counts, as they are."""
    last = max(head.last_sequence, last_join_sequence(head.campaign_id))
    numbers = range(SHAPE.place_of(last)[0] + 1)
    wanted = [rank_keys.rank_block(head.campaign_id, head.generation, number) for number in numbers]
    return blocks_in(store.get_many(wanted).values())
