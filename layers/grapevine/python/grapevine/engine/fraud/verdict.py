"""One level and one reason of all that the rules find.

An allow list beats everything. Otherwise the highest level wins; among findings of that level the
order of `RULES` decides which of them gives the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grapevine.engine.fraud import identity, similarity
from grapevine.engine.fraud.evidence import LEVELS, Code, Evidence, Finding
from grapevine.table.fraud import Level

Rule = Callable[[Evidence], Finding | None]

RULES: tuple[Rule, ...] = (
    identity.blocked_email,
    identity.blocked_ip,
    identity.referrer_high_risk,
    identity.chain,
    similarity.duplicate_email,
    identity.identity_of_referrer,
    identity.device_of_others,
    identity.installation_of_others,
    identity.ip_of_others,
    identity.ip_velocity,
    similarity.burner,
    similarity.email_pattern,
    similarity.similar_email,
    identity.friend_velocity,
    similarity.domain_clustering,
    similarity.similar_last_name,
    similarity.similar_first_name,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`findings` are in the order of their weight: the first one gives level and code."""

    level: Level
    code: Code
    findings: tuple[Finding, ...] = ()

    @property
    def matched(self) -> tuple[str, ...]:
        """The participants that the finding names which decided."""
        return self.findings[0].matched if self.findings else ()

    @property
    def catches_referrer(self) -> bool:
        """Whether the referrer is found out: something is certain, and it takes the referrer."""
        return any(each.catches_referrer and each.level == "HIGH" for each in self.findings)


UNIQUE = Verdict("LOW", "UNIQUE_IDENTITY")


def rank(level: Level) -> int:
    return LEVELS.index(level)


def judged(evidence: Evidence) -> Verdict:
    """What the rules say of who is screened."""
    allowed = identity.allow_list(evidence)
    if allowed is not None:
        return Verdict("LOW", allowed.code, (allowed,))
    found = [finding for rule in RULES if (finding := rule(evidence)) is not None]
    if not found:
        return UNIQUE
    # The sort is stable: the order of the rules stays within a level.
    ordered = tuple(sorted(found, key=lambda finding: -rank(finding.level)))
    return Verdict(ordered[0].level, ordered[0].code, ordered)
