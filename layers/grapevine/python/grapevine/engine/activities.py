"""The activity log of participants: lines made of the table's changes, and pages of them.

A change always makes the same lines under the same keys, so changes that come twice, late or in
another order make the same log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from grapevine.engine.participants.lookup import Participant
from grapevine.months import DAY_MS
from grapevine.table import activities, keys, store
from grapevine.table.activities import Activity, ActivityKind
from grapevine.table.attributes import Change
from grapevine.table.entity import Entity
from grapevine.table.impressions import Impressions
from grapevine.table.invites import Invite
from grapevine.table.mail import Mail
from grapevine.table.participants import Profile
from grapevine.table.referrals import Referral
from grapevine.table.rewards import EarnedReward
from grapevine.table.standings import Standing

KEPT_MS = 730 * DAY_MS

Fact = tuple[str, int, ActivityKind, str]
"""Whose log, when (ms), of what kind, and what is said."""


def entries_of(change: Change) -> list[Activity]:
    """The lines that a change makes; in the log, lines of one moment keep this order. Raises
    KeyError or TypeError for a broken record."""
    tell = _TELLERS.get(change.new["type"])
    if tell is None:
        return []
    subject: Entity
    subject, facts = tell(change)
    return [_line(subject, number, fact) for number, fact in enumerate(facts)]


def _line(subject: Entity, number: int, fact: Fact) -> Activity:
    participant_id, at, kind, text = fact
    told = "\n".join([*subject.key, str(at), text])
    rank = _RANKS[subject.TYPE] + number
    return Activity(
        campaign_id=subject.to_item()["campaignId"],
        participant_id=participant_id,
        at=at,
        fact_hash=f"{rank:02d}{hashlib.sha256(told.encode()).hexdigest()[:16]}",
        kind=kind,
        text=text,
        expires_at=(at + KEPT_MS) // 1000,
    )


def _of_profile(change: Change) -> tuple[Profile, list[Fact]]:
    profile = Profile.from_item(change.new)
    if change.old is not None:
        return profile, _fraud_facts(profile, change.old.get("fraudChangedAt"))
    return profile, [(profile.participant_id, profile.created_at, "COMMON", "Joined.")]


def _fraud_facts(profile: Profile, known_before: int | None) -> list[Fact]:
    changed_at = profile.fraud_changed_at
    if changed_at is None or changed_at == known_before:
        return []
    level, code = profile.fraud_risk_level, profile.fraud_reason_code
    text = f"The fraud risk level became {level} ({code})."
    return [(profile.participant_id, changed_at, "FRAUD", text)]


def _of_referral(change: Change) -> tuple[Referral, list[Fact]]:
    after = Referral.from_item(change.new)
    before = Referral.from_item(change.old) if change.old else None
    return after, list(_referral_facts(before, after))


def _referral_facts(before: Referral | None, after: Referral) -> Iterator[Fact]:
    friend, referrer, at = after.referred_id, after.referrer_id, after.updated_at
    if before is None:
        yield friend, after.created_at, "REFERRAL", f"Was referred by participant {referrer}."
        yield referrer, after.created_at, "REFERRAL", f"Referred participant {friend}."
    if after.status == (before.status if before else "CREDIT_PENDING"):
        return
    match after.status:
        case "CREDIT_AWARDED":
            yield referrer, at, "REFERRAL", f"Got a referral credit for participant {friend}."
            yield friend, at, "REFERRAL", f"Earned participant {referrer} a referral credit."
        case "CREDIT_EXPIRED":
            yield referrer, at, "REFERRAL", f"The referral of participant {friend} expired."
            yield friend, at, "REFERRAL", f"The referral by participant {referrer} expired."
        case "CREDIT_PENDING":
            yield referrer, at, "REFERRAL", f"The referral of participant {friend} is open again."
            yield friend, at, "REFERRAL", f"The referral by participant {referrer} is open again."


def _of_reward(change: Change) -> tuple[EarnedReward, list[Fact]]:
    after = EarnedReward.from_item(change.new)
    before = EarnedReward.from_item(change.old) if change.old else None
    return after, list(_reward_facts(before, after))


def _reward_facts(before: EarnedReward | None, after: EarnedReward) -> Iterator[Fact]:
    whose, name = after.participant_id, after.earned_id
    if before is None:
        at_once = ""
        if after.approved_at is not None:
            at_once = ", approved" if after.fulfilled_at is None else ", approved and fulfilled"
        yield whose, after.created_at, "REWARD", f"Earned reward {name}{at_once}."
        return
    if after.approved_at is not None and before.approved_at is None:
        yield whose, after.approved_at, "REWARD", f"Reward {name} was approved."
    if after.fulfilled_at is not None and before.fulfilled_at is None:
        yield whose, after.fulfilled_at, "REWARD", f"Reward {name} was fulfilled."


def _of_invite(change: Change) -> tuple[Invite, list[Fact]]:
    invite = Invite.from_item(change.new)
    if change.old is not None:
        return invite, []
    return invite, [(invite.referrer_id, invite.created_at, "EMAIL", "Invited somebody by e-mail.")]


def _of_mail(change: Change) -> tuple[Mail, list[Fact]]:
    """Invites are told of when they are accepted, and have their own lines."""
    mail = Mail.from_item(change.new)
    sent_before = change.old is not None and "sentAt" in change.old
    if mail.sent_at is None or sent_before or mail.kind == "invite":
        return mail, []
    text = f"Got the e-mail {mail.template}." if mail.template else "Got an e-mail."
    return mail, [(mail.participant_id, mail.sent_at, "EMAIL", text)]


def _of_impressions(change: Change) -> tuple[Impressions, list[Fact]]:
    """An item says that it was last changed by a share, and in which channel."""
    seen = Impressions.from_item(change.new)
    if seen.last_share is None or seen.last_share_at is None:
        return seen, []
    text = f"Shared by {seen.last_share}, share number {seen.share_total}."
    return seen, [(seen.participant_id, seen.last_share_at, "SHARE", text)]


_TELLERS: dict[str, Callable[[Change], tuple[Entity, list[Fact]]]] = {
    Profile.TYPE: _of_profile,
    Referral.TYPE: _of_referral,
    EarnedReward.TYPE: _of_reward,
    Invite.TYPE: _of_invite,
    Mail.TYPE: _of_mail,
    Impressions.TYPE: _of_impressions,
}
_RANKS = {
    Profile.TYPE: 0,
    Invite.TYPE: 10,
    Impressions.TYPE: 20,
    Referral.TYPE: 30,
    EarnedReward.TYPE: 40,
    Mail.TYPE: 50,
}
"""What comes first in one moment: who joins is referred, and credited, and earns by it."""


def record(lines: Iterable[Activity]) -> None:
    """Writes the lines of those who are there; safe to repeat.

    Nothing is written for somebody who has been deleted, so that nothing is left behind the
    clean-up, which comes two minutes later. What a process that was held up for longer writes
    behind it names nobody and goes away in the end.
    """
    wanted = {line.key: line for line in lines}
    standings = {
        line.key: keys.standing(line.campaign_id, line.participant_id) for line in wanted.values()
    }
    found = store.get_many(standings.values())
    living = {key for key, item in found.items() if Standing.from_item(item).deleted_at is None}
    store.put_all(line.to_item() for key, line in wanted.items() if standings[key] in living)


@dataclass(frozen=True, slots=True)
class LogPage:
    """`next_offset` is None on the last page."""

    lines: list[Activity]
    next_offset: int | None


def page(participant: Participant, limit: int, offset: int) -> LogPage:
    """The participant's lines, newest first, without the first `offset`. It costs reads in
    proportion to `offset`."""
    campaign_id = participant.profile.campaign_id
    found = activities.newest_of(campaign_id, participant.participant_id, offset + limit + 1)
    lines = found[offset : offset + limit]
    return LogPage(lines, offset + limit if len(found) > offset + limit else None)
