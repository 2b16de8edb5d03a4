"""A random story of a campaign's standings and of the workers that bring them into the index."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from grapevine.engine.ranks.boards import ALL_TIME
from grapevine.engine.ranks.maintenance import maintain
from grapevine.engine.ranks.reading import ranks_in, ranks_of
from grapevine.engine.ranks.snapshot import Snapshot, as_of_one_batch
from grapevine.engine.ranks.tree import Shape
from grapevine.engine.ranks.unscored import unscored_from
from grapevine.months import start_of
from grapevine.table.attributes import unmarshal
from grapevine.table.standings import Standing
from tests import rank_index
from tests.unit.ranks.workers import Died, Workers

CAMPAIGN = "camp01"
FIRST_MONTH = 2026 * 12 + 10


@dataclass
class Story(Workers[Standing]):
    shape: Shape
    standings: dict[int, Standing] = field(default_factory=dict)
    credits: list[tuple[int, int]] = field(default_factory=list)
    month: int = FIRST_MONTH

    def now_ms(self) -> int:
        return start_of(self.month)

    # What happens to participants

    def act(self) -> None:
        if self.random.random() < 0.01:
            self.turn_month()
        self.act_within_the_month()

    def act_within_the_month(self) -> None:
        acts = [self.join, self.credit, self.take_back, self.leave]
        self.random.choices(acts, weights=[6, 10, 2, 1])[0]()

    def join(self) -> None:
        # Some numbers are never used.
        sequence = max(self.standings, default=0) + self.random.choice([1, 1, 1, 2])
        self._change(
            Standing(
                campaign_id=CAMPAIGN,
                participant_id=f"p{sequence}",
                join_sequence=sequence,
                joined_month=self.month,
            )
        )

    def credit(self) -> None:
        if living := self.living():
            # The first ones get most, so that there are high scores and many equal ones.
            chosen = living[int(len(living) * self.random.random() ** 2)]
            self.credits.append((chosen.join_sequence, self.month))
            self._change(chosen.plus_one(self.month))

    def take_back(self) -> None:
        if self.credits:
            sequence, month = self.credits.pop(self.random.randrange(len(self.credits)))
            self._change(self.standings[sequence].minus_one(month))

    def leave(self) -> None:
        if living := self.living():
            gone = self.random.choice(living)
            self.credits = [each for each in self.credits if each[0] != gone.join_sequence]
            self._change(
                replace(
                    gone,
                    version=gone.version + 1,
                    referral_count=0,
                    even_month=None,
                    odd_month=None,
                    year=None,
                    deleted_at=1,
                )
            )

    def turn_month(self) -> None:
        self.month += 1

    def living(self) -> list[Standing]:
        return [one for one in self.standings.values() if one.deleted_at is None]

    def _change(self, standing: Standing) -> None:
        self.standings[standing.join_sequence] = standing
        self.pending.append(standing)

    def maintain(self, batch: list[Standing]) -> None:
        maintain(CAMPAIGN, batch, self.shape)

    # What must hold

    def read_in_between(self) -> None:
        """A reader that others overtake sees one batch: nodes and histograms are what its blocks
        hold, and ranks are those of sorting what they hold."""
        chosen = self.random.sample(self.living(), min(5, len(self.living())))
        month = self.month

        def read(snapshot: Snapshot) -> None:
            found = ranks_in(snapshot, chosen, month)
            wrong = rank_index.snapshot_problems(
                snapshot, dict(zip(chosen, found, strict=True)), month
            )
            assert not wrong, "\n".join(wrong)

        with suppress(Died):
            as_of_one_batch(CAMPAIGN, self.shape, None, read)

    def work_off(self) -> None:
        with self.quiet():
            maintain(CAMPAIGN, self.pending, self.shape)
            self.told += self.pending
            self.pending = []
            # Whatever else a dead worker has prepared is finished by the next change.
            self.join()
            maintain(CAMPAIGN, self.pending, self.shape)

    def check(self) -> None:
        """All ranks and all that is counted is right, once everything has been worked off."""
        self.work_off()
        with self.quiet():
            everybody, living = list(self.standings.values()), self.living()
            items = [unmarshal(item) for item in self.table.items.values()]
            wrong = list(rank_index.problems(items, everybody, self.month, self.shape))
            assert not wrong, "\n".join(wrong)
            found = ranks_of(CAMPAIGN, living, self.month, shape=self.shape)
            by_id = {one.participant_id: each for one, each in zip(living, found, strict=True)}
            assert by_id == rank_index.brute_force(everybody, self.month)
            self._check_unscored()

    def _check_unscored(self) -> None:
        for board in (ALL_TIME, self.month, self.month - 1):
            first = self.random.randint(0, max(self.standings) + 1)
            limit = self.random.randint(1, 30)
            found = unscored_from(CAMPAIGN, board, first, limit, shape=self.shape)
            wanted = [
                one.join_sequence
                for one in self.living()
                if one.join_sequence >= first
                and not (one.referral_count if board == ALL_TIME else one.count_in(board))
            ]
            assert found == wanted[:limit]
