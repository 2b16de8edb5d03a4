"""A random story of players' points and of the workers that bring them into the index."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from grapevine.engine.ranks.codec import decode
from grapevine.engine.ranks.parts import Parts, in_one_batch
from grapevine.engine.ranks.points.batch import empty_counted, empty_node
from grapevine.engine.ranks.points.maintenance import maintain
from grapevine.engine.ranks.points.places import Counted, Place
from grapevine.engine.ranks.points.reading import Ahead, ahead_in, ahead_of, size_in
from grapevine.engine.ranks.points.trie import Digits, Shape, digits_of, path_of
from grapevine.table import rank_keys, store
from grapevine.table.attributes import unmarshal
from grapevine.table.points_board import position
from grapevine.table.points_ranks import PointsCounted, PointsHead, PointsJournal, PointsNode
from tests import points_index
from tests.unit.ranks.workers import Died, Workers

CAMPAIGN = "camp01"
BOARD = "all"
START = 1_800_000_000_000

STEPS = (1, 5, 50, 50, 50, 1_000, 10**9)
"""Points of an event: many players have equal totals, and a few have many."""


@dataclass
class PointsStory(Workers[Place]):
    """`totals` are the points and since when (ms). By batch and user, `batches` holds the positions
    that were to be counted when the batch was prepared."""

    shape: Shape
    totals: dict[str, tuple[int, int]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    batches: dict[int, dict[str, int]] = field(default_factory=dict)
    now: int = START

    def __post_init__(self) -> None:
        super().__post_init__()
        self.table.stored = self._remember

    def _remember(self, raw: points_index.Item) -> None:
        item = unmarshal(raw)
        if item["type"] == PointsJournal.TYPE:
            journal = PointsJournal.from_item(item)
            before = self.batches.get(journal.version - 1, {})
            moved = {user_id: numbers[3] for user_id, numbers in journal.moves.items()}
            self.batches[journal.version] = before | moved

    def now_ms(self) -> int:
        return START

    # What happens to players

    def act(self) -> None:
        # Seldom: so many things happen in the same millisecond, others seconds or months apart.
        if self.random.random() < 0.3:
            self.now += self.random.choice([1, 1, 1, 2_000, 3_000_000, 4_000_000_000])
        acts = [self.join, self.earn, self.take_back, self.do_nothing]
        self.random.choices(acts, weights=[8, 10, 3, 1])[0]()

    def join(self) -> None:
        self._change(f"user {len(self.totals)}", 0)

    def earn(self) -> None:
        self._change(self._somebody(), self.random.choice(STEPS))

    def take_back(self) -> None:
        user_id = self._somebody()
        points, _ = self.totals.get(user_id, (0, 0))
        if points:
            self._change(user_id, -min(points, self.random.choice(STEPS)))

    def do_nothing(self) -> None:
        self._change(self._somebody(), None)

    def _somebody(self) -> str:
        return self.random.choice(list(self.totals)) if self.totals else "user 0"

    def _change(self, user_id: str, points: int | None) -> None:
        """None is an event that leaves the points and their time as they are."""
        before, since = self.totals.get(user_id, (0, 0))
        if user_id in self.totals and points is None:
            after = before, since
        else:
            after = before + (points or 0), max(self.now, since + 1)
        known = self.places.get(user_id)
        self.totals[user_id] = after
        place = Place(user_id, known.version + 1 if known else 1, position(*after))
        self.places[user_id] = place
        self.pending.append(place)

    def maintain(self, batch: list[Place]) -> None:
        maintain(CAMPAIGN, BOARD, batch, shape=self.shape)

    # What must hold

    def read_in_between(self) -> None:
        """A reader that others overtake sees one batch: what was prepared for it and before, nodes
        that are just this, and ranks that are those of sorting it."""
        if not self.places:
            return
        chosen = self.random.sample(sorted(self.places), min(3, len(self.places)))
        asked = [self.places[user_id] for user_id in chosen]
        aside = set(self.random.sample(sorted(self.places), min(2, len(self.places))))

        def read(head: PointsHead) -> None:
            published = self.batches.get(head.version, {})
            for place in asked:
                without = aside | {place.user_id}
                found = ahead_in(head, place.position, without, self.shape)
                assert found == _ahead(published, place.position, without)
            assert size_in(head, aside) == len(published.keys() - aside)
            self._check_parts(head, published)

        with suppress(Died):
            in_one_batch(_head, None, read)

    def _check_parts(self, head: PointsHead, published: dict[str, int]) -> None:
        parts = Parts(head.version, (PointsNode, PointsCounted))
        counted = {user_id: empty_counted(head, user_id).key for user_id in [*self.places]}
        nodes = {node: empty_node(head, node).key for node in self._nodes()}
        parts.load([*counted.values(), *nodes.values()])
        found = {user_id: Counted.of(parts.boards(key)) for user_id, key in counted.items()}
        positions = {user_id: one.position for user_id, one in found.items() if one.position}
        assert positions == published
        boards = {node: parts.boards(key) for node, key in nodes.items()}
        wrong = points_index.trie_problems(
            decode(head.root), boards, positions.values(), self.shape
        )
        assert not [*wrong]

    def _nodes(self) -> set[Digits]:
        """All that there are."""
        items = [unmarshal(item) for item in [*self.table.items.values()]]
        stored = {tuple(each["digits"]) for each in items if each["type"] == PointsNode.TYPE}
        return stored | {
            node
            for place in self.places.values()
            for node in path_of(digits_of(place.position, self.shape))
        }

    def work_off(self) -> None:
        with self.quiet():
            self.maintain(self.pending)
            self.told += self.pending
            self.pending = []
            # Whatever else a dead worker has prepared is finished by the next change.
            self.join()
            self.maintain(self.pending)

    def check(self) -> None:
        """All ranks and all that is counted is right, once everything has been worked off."""
        self.work_off()
        with self.quiet():
            items = [unmarshal(item) for item in self.table.items.values()]
            wrong = list(points_index.problems(items, self.places.values(), self.shape))
            assert not wrong, "\n".join(wrong)
            everybody = {user_id: place.position for user_id, place in self.places.items()}
            for place in self.places.values():
                found = ahead_of(CAMPAIGN, BOARD, place, shape=self.shape)
                assert found == _ahead(everybody, place.position, {place.user_id})


def _head() -> PointsHead:
    key = rank_keys.points_head(CAMPAIGN, BOARD)
    return PointsHead.found(CAMPAIGN, BOARD, store.get_many([key]).get(key))


def _ahead(positions: dict[str, int], own: int, without: set[str]) -> Ahead:
    """By brute force."""
    others = [each for user_id, each in positions.items() if user_id not in without]
    return Ahead(sum(each > own for each in others), sum(each == own for each in others))
