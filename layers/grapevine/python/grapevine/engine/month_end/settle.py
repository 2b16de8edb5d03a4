"""Settling a closed month: its snapshot is taken, then the monthly leaderboard rewards are given.

The first transaction stores the snapshot, which says who wins what. Each further one rewards one
place and counts it in the closing, whose version is a condition of all of them: whatever is
repeated, interrupted or done twice at the same time, a place is rewarded once.
"""

from __future__ import annotations

from dataclasses import replace

from grapevine import runtime
from grapevine.engine import messages
from grapevine.engine.attempts import attempts
from grapevine.engine.credit import find_referrer
from grapevine.engine.messages import UnknownItem
from grapevine.engine.month_end.final import best_of
from grapevine.engine.rewards.earning import Offer, offer_of
from grapevine.engine.rewards.leaderboard import winning
from grapevine.months import start_of
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.month_end import MonthClosing, MonthSnapshot
from grapevine.table.rewards import RewardConfig
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Put, Write, version

KEPT_PLACES = 100
"""Of a month's board; more where a reward has more winners."""


def settle(message: str) -> None:
    """Settles the month whose closing the message names, or goes on where somebody stopped.

    Raises:
        Busy: some places may have been rewarded; repeating goes on.
        UnknownItem
    """
    item = store.get(messages.key_in(message))
    if item is None:
        return
    if item["type"] != MonthClosing.TYPE:
        raise UnknownItem(item["type"])
    closing = MonthClosing.from_item(item)
    if closing.settled_at is None:
        _Settlement(closing).finish()


class _Settlement:
    """The settlement of one closing: what it needs of the campaign is read once."""

    def __init__(self, closing: MonthClosing) -> None:
        self._closing = closing
        campaign = store.get(keys.campaign(closing.campaign_id))
        if campaign is None:
            raise LookupError("a closing without its campaign")
        self._offer: Offer = offer_of(Campaign.from_item(campaign))
        self._snapshot = self._stored_snapshot()

    def _stored_snapshot(self) -> MonthSnapshot | None:
        item = store.get(keys.month_snapshot(self._closing.campaign_id, self._closing.month))
        return MonthSnapshot.from_item(item) if item else None

    def finish(self) -> None:
        while self._closing.settled_at is None:
            self._advance()

    def _advance(self) -> None:
        """One step, in one transaction; when others were faster, what they did counts."""
        for attempt in attempts():
            if attempt:
                self._read_again()
            if self._closing.settled_at is not None:
                return
            if self._snapshot is None:
                snapshot = self._taken()
                writes: list[Write] = [Put(snapshot.to_item(), ABSENT)]
                after = self._next(snapshot, awarded=0)
            else:
                snapshot = self._snapshot
                writes = self._award(snapshot, self._closing.awarded)
                after = self._next(snapshot, awarded=self._closing.awarded + 1)
            try:
                store.transact([*writes, Put(after.to_item(), version(self._closing.version))])
            except TransactionCanceled:
                continue
            self._closing, self._snapshot = after, snapshot
            return

    def _read_again(self) -> None:
        self._closing = MonthClosing.from_item(store.get(self._closing.key) or {})
        self._snapshot = self._snapshot or self._stored_snapshot()

    def _taken(self) -> MonthSnapshot:
        campaign_id, month = self._closing.campaign_id, self._closing.month
        winners = {
            config.reward_id: config.number_of_winners
            for config in self._offer.configs
            if _is_won_in(config, month)
        }
        best = best_of(campaign_id, month, max(KEPT_PLACES, *winners.values(), 0))
        return MonthSnapshot(
            campaign_id=campaign_id,
            month=month,
            taken_at=runtime.now_ms(),
            participant_ids=tuple(place.participant_id for place in best),
            counts=tuple(place.count for place in best),
            winners=winners,
        )

    def _next(self, snapshot: MonthSnapshot, awarded: int) -> MonthClosing:
        places = min(max(snapshot.winners.values(), default=0), len(snapshot.participant_ids))
        after = replace(self._closing, version=self._closing.version + 1, awarded=awarded)
        if awarded < places:
            return after
        return replace(after, settled_at=runtime.now_ms(), due_shard=None, due_at=None)

    def _award(self, snapshot: MonthSnapshot, place: int) -> list[Write]:
        """Nothing for somebody who has been deleted: nobody moves up."""
        winner = find_referrer(snapshot.campaign_id, snapshot.participant_ids[place])
        if winner is None:
            return []
        won = [
            config
            for config in self._offer.configs
            if place < snapshot.winners.get(config.reward_id, 0)
        ]
        return winning(winner, won, self._offer, won_in=snapshot.month)


def _is_won_in(config: RewardConfig, month: int) -> bool:
    """What is offered now, if it was there before the month was over."""
    is_monthly = config.reward_type == "LEADERBOARD" and config.limit_duration == "PER_MONTH"
    return is_monthly and config.is_offered and config.created_at < start_of(month + 1)
