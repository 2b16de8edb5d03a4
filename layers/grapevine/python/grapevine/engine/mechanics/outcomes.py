"""What becomes of an event: the items that it writes, and the facts that it is answered with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine.engine.mechanics import milestones as milestone_rules
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.counters import Counters
from grapevine.engine.mechanics.instant_win import Draw
from grapevine.engine.mechanics.milestones import Fired
from grapevine.engine.mechanics.moments import Moment
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.parts import InstantWin, Tier
from grapevine.engine.mechanics.period_scores import count_event
from grapevine.engine.mechanics.periods import Periods
from grapevine.engine.mechanics.points import RuleAward
from grapevine.engine.mechanics.qualifying import qualifies
from grapevine.table.ledger import Credit, LedgerLine, MilestoneAward, PlayerEvent, Reason
from grapevine.table.players import Player

NO_PLAY_MESSAGE = "This event does not include a play"
DAY_MS = 24 * 60 * 60 * 1000

_EARNED: tuple[Reason, ...] = ("rule", "code", "milestone")
"""What an event earns, besides a prize."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """A prize that was won. `points` are paid at once or by the code, as `credit` says; the code
    is worth `code_points` and can be used until `expires_at` (ms). `moment` is the one to claim,
    where the campaign draws by moments; `per_day` is how many may be given on a day, if that is
    limited, and `day` (yyyymmdd) the day."""

    tier_id: str
    tier_name: str
    points: int
    credit: Credit
    code_points: int
    message: str
    expires_at: int
    per_day: int | None
    day: int
    moment: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A milestone that the event has reached, `times` of its multiples at once."""

    id: str
    name: str
    points_earned: int
    badge: str | None
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of an event: the items to be written together, and the facts of the answer.

    `player` is the state afterwards, with the next version. `points_earned` is without the win.
    `has_instant_win` says whether the answer speaks of the instant win at all, `played` whether
    this event drew, and `message` is what it says of it.
    """

    player: Player
    event: PlayerEvent
    lines: tuple[LedgerLine, ...]
    awards: tuple[MilestoneAward, ...]
    win: Won | None
    points_earned: int
    total_points: int
    has_instant_win: bool
    played: bool
    message: str | None
    milestones: tuple[Reached, ...]


class Lines:
    """The ledger lines of one event, with the balance that they lead to."""

    def __init__(self, player: Player, occurrence: Occurrence) -> None:
        self._player = player
        self._occurrence = occurrence
        self.balance = player.total_points
        self.written: list[LedgerLine] = []

    def add(self, reason: Reason, source_id: str, points: int) -> None:
        """Nothing is written of no points."""
        if not points:
            return
        self.balance += points
        line = LedgerLine(
            campaign_id=self._player.campaign_id,
            user_id=self._player.user_id,
            at=self._occurrence.at,
            event_id=self._occurrence.event_id,
            number=len(self.written),
            points=points,
            balance_after=self.balance,
            reason=reason,
            source_id=source_id,
            event_type=self._occurrence.event_type,
        )
        self.written.append(line)

    def add_awards(self, awards: list[RuleAward]) -> None:
        for award in awards:
            self.add("rule", award.rule_id, award.points)

    def add_fired(self, fired: list[Fired]) -> None:
        for each in fired:
            self.add("milestone", each.milestone.id, each.points)

    def points(self, *reasons: Reason) -> int:
        return sum(line.points for line in self.written if line.reason in reasons)

    @property
    def all_points(self) -> int:
        return sum(line.points for line in self.written)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was judged, to be put together with what came out."""

    configuration: Configuration
    config_version: int
    player: Player
    occurrence: Occurrence
    periods: Periods
    draw_value: int | None = None
    secret_number: int | None = None

    def finished(self, counters: Counters, lines: Lines, drawn: Draw | None = None) -> Outcome:
        """With the milestones that are reached by the event and by what it has given so far."""
        milestones = self.configuration.milestones
        milestone_rules.count_event(milestones, counters, self.occurrence, self.periods)
        fired = milestone_rules.reached_by(milestones, counters, lines.balance)
        lines.add_fired(fired)
        return self._outcome(counters, lines, drawn, fired)

    def _outcome(
        self, counters: Counters, lines: Lines, drawn: Draw | None, fired: list[Fired]
    ) -> Outcome:
        instant_win = self.configuration.instant_win
        shown = instant_win if instant_win is not None and instant_win.enabled else None
        tier = drawn.tier if drawn else None
        kept = self.configuration.leaderboard.periods
        points, at = lines.all_points, self.occurrence.at
        counted_in = count_event(counters, kept, self.periods, points, at)
        return Outcome(
            player=self._player_after(counters, lines),
            event=replace(self._event(lines, drawn), counted_in=counted_in),
            lines=tuple(lines.written),
            awards=tuple(self._award(each) for each in fired),
            win=self._won(shown, drawn, tier) if shown and drawn and tier else None,
            points_earned=lines.points(*_EARNED),
            total_points=lines.balance,
            has_instant_win=shown is not None,
            played=drawn is not None,
            message=_message(shown, drawn) if shown else None,
            milestones=tuple(_reached(each) for each in fired),
        )

    def _player_after(self, counters: Counters, lines: Lines) -> Player:
        before, configuration = self.player, self.configuration
        tiers = configuration.instant_win.tiers if configuration.instant_win else ()
        return replace(
            before,
            version=before.version + 1,
            total_points=lines.balance,
            events_count=before.events_count + 1,
            reached_at=self.occurrence.at if lines.written else before.reached_at,
            last_at=self.occurrence.at,
            counters=counters.stored(
                rules=[rule.id for rule in configuration.points.rules],
                tiers=[tier.id for tier in tiers],
                milestones=[milestone.id for milestone in configuration.milestones],
            ),
        )

    def _event(self, lines: Lines, drawn: Draw | None) -> PlayerEvent:
        event = PlayerEvent(
            campaign_id=self.player.campaign_id,
            user_id=self.player.user_id,
            event_id=self.occurrence.event_id,
            event_type=self.occurrence.event_type,
            metadata=dict(self.occurrence.metadata),
            at=self.occurrence.at,
            trust=self.occurrence.trust,
            source=self.occurrence.source,
            config_version=self.config_version,
            points_earned=lines.points(*_EARNED),
            win_points=lines.points("instant_win"),
            total_points=lines.balance,
            qualifies=self.player.participant_id
            if qualifies(self.configuration, self.occurrence)
            else None,
        )
        if drawn is None:
            return event
        instant_win = self.configuration.instant_win
        by_odds = instant_win is not None and instant_win.mode == "odds"
        moment = drawn.moment
        return replace(
            event,
            played=True,
            draw_value=self.draw_value if by_odds else None,
            secret_number=moment.save.secret_number
            if moment
            else (self.secret_number if by_odds else None),
            moment_at=moment.at if moment else None,
            moment_number=moment.number if moment else None,
            moment_version=moment.save.version if moment else None,
            tier_hit=drawn.hit.id if drawn.hit else None,
            tier_won=drawn.tier.id if drawn.tier else None,
            downgrade=drawn.downgrade,
        )

    def _award(self, fired: Fired) -> MilestoneAward:
        return MilestoneAward(
            campaign_id=self.player.campaign_id,
            user_id=self.player.user_id,
            milestone_id=fired.milestone.id,
            number=fired.number,
            times=fired.times,
            at=self.occurrence.at,
            event_id=self.occurrence.event_id,
            points=fired.points,
            badge=fired.milestone.reward.badge,
            extra_plays=fired.extra_plays,
        )

    def _won(self, instant_win: InstantWin, drawn: Draw, tier: Tier) -> Won:
        by_odds = instant_win.mode == "odds"
        return Won(
            tier_id=tier.id,
            tier_name=tier.name,
            points=tier.points,
            credit=tier.credit,
            code_points=tier.paid_by_code,
            message=tier.won_message,
            expires_at=self.occurrence.at + instant_win.win_code.expires_in_days * DAY_MS,
            per_day=tier.per_day if by_odds else None,
            day=self.periods.date,
            moment=drawn.moment,
        )


def _message(instant_win: InstantWin, drawn: Draw | None) -> str:
    if drawn is None:
        return NO_PLAY_MESSAGE
    return drawn.tier.won_message if drawn.tier else instant_win.lose_message


def _reached(fired: Fired) -> Reached:
    return Reached(
        id=fired.milestone.id,
        name=fired.milestone.name,
        points_earned=fired.points,
        badge=fired.milestone.reward.badge,
        times=fired.times,
    )
