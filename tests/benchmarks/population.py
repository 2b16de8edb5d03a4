"""Made-up participants of a campaign, as if they had joined and been credited over half a year.

One of ten has credits, by a power law; some of these are of this month and of the last one. Every
credit is a referral of somebody in the campaign, every count is what the engine makes of the
credits, and some referrals are still pending: those that the benchmark credits.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grapevine.engine import referrals
from grapevine.engine.terms import Terms
from grapevine.months import start_of
from grapevine.table.attributes import Item
from grapevine.table.impressions import Impressions
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral
from grapevine.table.standings import Standing

REFERRERS = 0.1
VISITED = 0.2
"""The part of the participants whose links have been opened."""

_EXPONENT = 1.2
_MONTHS = 8
_TERMS = Terms(credits_at_signup=False, is_live=True, window_ms=None)


@dataclass(frozen=True, slots=True)
class Tie:
    """By join sequence: who referred, when that was credited (None: it is pending)."""

    referrer: int
    credited_month: int | None


class Population:
    """`pending` referrals wait for their credit, at least; half of their referrers are those who
    have many credits already, the others anybody."""

    def __init__(self, campaign_id: str, size: int, month: int, pending: int) -> None:
        self.campaign_id, self.size, self.month = campaign_id, size, month
        self._chance = random.Random(size)  # noqa: S311 - made-up people
        self.ties: dict[int, Tie] = {}
        self.impressions: dict[int, tuple[int, int]] = {}
        """By join sequence: all impressions, and the unique ones."""
        self._refer(pending)
        self.standings = self._credited()
        self._visit()

    def id_of(self, sequence: int) -> str:
        return f"p{sequence:05x}"

    def email_of(self, sequence: int) -> str:
        return f"somebody.{sequence}@example.com"

    def joined_month(self, sequence: int) -> int:
        """One of fifty joined this month, one of fifty last month."""
        share = sequence / self.size
        if share > 0.96:
            return self.month if share > 0.98 else self.month - 1
        return self.month - _MONTHS + int(share * (_MONTHS - 1))

    def pending(self) -> list[int]:
        """Whose referral waits for its credit, in no order."""
        return [one for one, tie in self.ties.items() if tie.credited_month is None]

    def credit(self, sequence: int) -> None:
        """What a trigger for this participant does."""
        tie = self.ties[sequence]
        self.ties[sequence] = replace(tie, credited_month=self.month)
        self.standings[tie.referrer] = self.standings[tie.referrer].plus_one(self.month)

    def items(self) -> Iterator[Item]:
        """All items of all participants."""
        for sequence, standing in self.standings.items():
            profile = self._profile(sequence)
            for entity in (profile, standing, *profile.companions):
                yield entity.to_item()
            if sequence in self.ties:
                yield self._referral(sequence).to_item()
            if sequence in self.impressions:
                total, unique = self.impressions[sequence]
                yield Impressions(
                    campaign_id=self.campaign_id,
                    participant_id=standing.participant_id,
                    version=total,
                    join_sequence=sequence,
                    total=total,
                    unique=unique,
                ).to_item()

    def _refer(self, pending: int) -> None:
        everybody = list(range(1, self.size + 1))
        friends = self._chance.sample(everybody, self.size)
        referrers = self._chance.sample(everybody, int(self.size * REFERRERS))
        credited: list[int] = []
        for referrer in referrers:
            most = min(self.size // 50, len(friends) - pending - 1)
            for _ in range(min(int(self._chance.paretovariate(_EXPONENT)), most)):
                friend = self._friend_of(referrer, friends)
                self.ties[friend] = Tie(referrer, self._credited_month(referrer, friend))
                credited.append(referrer)
        for _ in range(pending):
            pool = credited if self._chance.random() < 0.5 else everybody
            referrer = self._chance.choice(pool)
            self.ties[self._friend_of(referrer, friends)] = Tie(referrer, None)

    def _friend_of(self, referrer: int, friends: list[int]) -> int:
        return friends.pop(-2 if friends[-1] == referrer else -1)

    def _credited_month(self, referrer: int, friend: int) -> int:
        """One of twelve this month, one of twelve last month, else before; after both joined."""
        drawn = self._chance.random() * 12
        ago = int(drawn) if drawn < 2 else self._chance.randrange(2, _MONTHS)
        return max(self.month - ago, self.joined_month(referrer), self.joined_month(friend))

    def _credited(self) -> dict[int, Standing]:
        months: dict[int, list[int]] = defaultdict(list)
        for tie in self.ties.values():
            if tie.credited_month is not None:
                months[tie.referrer].append(tie.credited_month)
        standings: dict[int, Standing] = {}
        for sequence in range(1, self.size + 1):
            standing = Standing(
                campaign_id=self.campaign_id,
                participant_id=self.id_of(sequence),
                join_sequence=sequence,
                joined_month=self.joined_month(sequence),
            )
            for month in sorted(months[sequence]):
                standing = standing.plus_one(month)
            standings[sequence] = standing
        return standings

    def _visit(self) -> None:
        for sequence in self._chance.sample(range(1, self.size + 1), int(self.size * VISITED)):
            total = min(int(self._chance.paretovariate(_EXPONENT)), self.size)
            self.impressions[sequence] = (total, self._chance.randint(1, total))

    def _profile(self, sequence: int) -> Profile:
        tie = self.ties.get(sequence)
        return Profile(
            campaign_id=self.campaign_id,
            participant_id=self.id_of(sequence),
            email=self.email_of(sequence),
            first_name="Ada",
            last_name="Lovelace",
            created_at=start_of(self.joined_month(sequence)) + sequence,
            referral_source="PARTICIPANT" if tie else "DIRECT",
            referrer_id=self.id_of(tie.referrer) if tie else None,
            ip_address="192.0.2.1",
        )

    def _referral(self, sequence: int) -> Referral:
        tie = self.ties[sequence]
        profile = self._profile(sequence)
        joined_at = profile.created_at
        pending = referrals.opened(
            profile,
            self.id_of(tie.referrer),
            requested=None,
            terms=_TERMS,
            now=joined_at,
        )
        if tie.credited_month is None:
            return pending
        credited_at = max(start_of(tie.credited_month) + sequence, joined_at)
        return replace(referrals.awarded(pending, credited_at), version=1)
