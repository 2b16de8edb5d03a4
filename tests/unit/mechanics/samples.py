"""The configuration of the specification, small ones, and a player who sends events to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from grapevine.engine.mechanics.configuration import Configuration, parse
from grapevine.engine.mechanics.evaluating import Chance, Outcome, evaluate
from grapevine.engine.mechanics.moments import Moment
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.table.ledger import Source, Trust
from grapevine.table.players import Player, new_player

CAMPAIGN = "camp01"
USER = "user_12345"
LOSES = 999_999


def at(text: str) -> int:
    """A time in ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOON = at("2025-07-15T12:00:00+02:00")
SECOND = 1000
HOUR = 3_600_000
DAY = 24 * HOUR


def summer_promo() -> dict[str, Any]:
    """A configuration with something of everything, as a body."""
    return {
        "slug": "summer-promo",
        "name": "Summer Promo 2025",
        "status": "ACTIVE",
        "startsAt": "2025-06-01T00:00:00Z",
        "endsAt": "2025-08-31T23:59:59Z",
        "timezone": "Europe/Berlin",
        "configVersion": 7,
        "sources": ["gamifyhost", "referd"],
        "unknownEventTypes": "record",
        "dedupe": [
            {"eventType": "purchase", "by": "metadata.orderId"},
            {"eventType": "daily_login", "by": "calendarDay"},
        ],
        "points": {
            "stacking": "all",
            "rounding": "floor",
            "capPerUser": {"day": 2000, "total": None},
            "rules": [
                rule("signup", "signup", 50, perUser={"total": 1}),
                rule(
                    "purchase-flat",
                    "purchase",
                    100,
                    when=[{"field": "amount", "op": "gte", "value": 10}],
                    perUser={"day": 5},
                ),
                rule("login", "daily_login", 5, perUser={"day": 1}),
            ],
            "multipliers": [
                {
                    "id": "launch-week",
                    "factor": "2",
                    "from": "2025-06-01T00:00:00Z",
                    "to": "2025-06-07T23:59:59Z",
                    "eventTypes": ["purchase"],
                }
            ],
        },
        "milestones": [
            milestone("club-1000", {"type": "points_total"}, 1000, badge="bronze"),
            milestone("orders-5", event_count("purchase"), 5, repeat=True, points=250),
            milestone("spend-500", metadata_sum("purchase", "amount"), 500, points=300),
            milestone("streak-7", streak("daily_login"), 7, points=100, extraPlays=1),
        ],
        "instantWin": {
            "enabled": True,
            "eventTypes": ["purchase"],
            "mode": "odds",
            "requireTrust": "server",
            "limits": {"playsPerUser": {"total": 10, "day": 3}, "winsPerUser": {"total": 2}},
            "onPlayLimit": "reject",
            "onSoldOut": "lose",
            "tiers": [
                tier("gold", 10_000, inventory=10, perDay=1, perUser=1, points=500),
                tier("silver", 50_000, inventory=200, perUser=1, points=50),
            ],
            "loseMessage": "Better luck next time!",
            "winCode": {
                "length": 8,
                "alphabet": "ABCDEFGHJKMNPQRSTUVWXYZ23456789",
                "expiresInDays": 30,
            },
            "drawCommitment": "sha256:6d1f0c",
        },
        "leaderboard": {"enabled": True, "excludeUsers": ["staff_1"], "hideNames": False},
    }


def rule(rule_id: str, event_type: str, award: int | dict[str, Any], **more: Any) -> dict[str, Any]:
    """`perUser` and `cooldownSeconds` go to the limits."""
    limits = {name: more.pop(name) for name in ("perUser", "cooldownSeconds") if name in more}
    fixed = {"type": "fixed", "points": award}
    return {
        "id": rule_id,
        "eventType": event_type,
        "award": fixed if isinstance(award, int) else award,
        "limits": limits,
        **more,
    }


def milestone(
    milestone_id: str, metric: dict[str, Any], threshold: Any, *, repeat: bool = False, **more: Any
) -> dict[str, Any]:
    """What is more goes to the reward, but for `requireTrust`."""
    trust = {"requireTrust": more.pop("requireTrust")} if "requireTrust" in more else {}
    return {
        "id": milestone_id,
        "name": milestone_id.title(),
        "metric": metric,
        "threshold": threshold,
        "repeat": repeat,
        "reward": more,
        **trust,
    }


def event_count(event_type: str) -> dict[str, Any]:
    return {"type": "event_count", "eventType": event_type}


def metadata_sum(event_type: str, path: str) -> dict[str, Any]:
    return {"type": "metadata_sum", "eventType": event_type, "field": path}


def distinct_values(event_type: str, path: str) -> dict[str, Any]:
    return {"type": "distinct_values", "eventType": event_type, "field": path}


def streak(event_type: str, period: str = "day") -> dict[str, Any]:
    return {"type": "streak", "eventType": event_type, "period": period}


def tier(tier_id: str, odds_ppm: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": tier_id, "name": tier_id.title(), "oddsPpm": odds_ppm, **more}


def points(*rules: dict[str, Any], **more: Any) -> Configuration:
    """A campaign with nothing but points rules, in Berlin."""
    return parse({"timezone": "Europe/Berlin", "points": {"rules": list(rules), **more}})


def milestones(*ones: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()) -> Configuration:
    return parse(
        {"timezone": "Europe/Berlin", "points": {"rules": list(rules)}, "milestones": list(ones)}
    )


def instant_win(*tiers: dict[str, Any], **more: Any) -> Configuration:
    """Every `play` draws."""
    part = {"eventTypes": ["play"], "tiers": list(tiers), **more}
    return parse({"timezone": "Europe/Berlin", "instantWin": part})


@dataclass
class Playing:
    """A player of a campaign, event after event; `now` moves by a second each time."""

    configuration: Configuration
    now: int = NOON
    player: Player = field(init=False)
    outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.player = new_player(CAMPAIGN, USER, self.now)
        self._numbers = count()

    def occurrence(
        self,
        event_type: str,
        metadata: dict[str, Any] | None = None,
        *,
        trust: Trust = "server",
        source: Source = "gamifyhost",
    ) -> Occurrence:
        return Occurrence(
            event_id=f"evt_{next(self._numbers)}",
            user_id=USER,
            event_type=event_type,
            metadata=metadata or {},
            at=self.now,
            trust=trust,
            source=source,
        )

    def send(
        self,
        event_type: str,
        metadata: dict[str, Any] | None = None,
        *,
        draw: int | None = LOSES,
        trust: Trust = "server",
        sold_out: tuple[str, ...] = (),
        spent_today: tuple[str, ...] = (),
        moments: list[Moment] | None = None,
    ) -> Outcome:
        occurrence = self.occurrence(event_type, metadata, trust=trust)
        chance = Chance(
            draw_value=draw,
            moments=moments,
            sold_out=frozenset(sold_out),
            spent_today=frozenset(spent_today),
        )
        outcome = evaluate(self.configuration, 7, self.player, occurrence, chance)
        self.player = outcome.player
        self.outcomes.append(outcome)
        self.now += SECOND
        return outcome

    def earns(self, event_type: str, metadata: dict[str, Any] | None = None) -> int:
        return self.send(event_type, metadata).points_earned

    @property
    def ledger(self) -> list[tuple[str, int]]:
        return [
            (f"{line.reason}:{line.source_id}", line.points)
            for outcome in self.outcomes
            for line in outcome.lines
        ]
