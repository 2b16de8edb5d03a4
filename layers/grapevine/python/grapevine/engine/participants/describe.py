"""Everything that an answer says of participants, read together in two rounds after they are there:
what belongs to them, then their ranks and the rewards of those who have earned any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from grapevine import runtime
from grapevine.engine import referrals
from grapevine.engine.mail.limits import invitations_in
from grapevine.engine.parallel import in_parallel
from grapevine.engine.participants.lookup import Participant, participant_in, participant_keys
from grapevine.engine.participants.share import share_url
from grapevine.engine.ranks.reading import Ranks, ranks_of
from grapevine.engine.rewards.earning import earnings_in
from grapevine.engine.terms import terms_of
from grapevine.engine.tracking.rules import impressions_in
from grapevine.months import month_at, start_of
from grapevine.table import keys, rank_keys, store
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.impressions import Impressions
from grapevine.table.keys import Key
from grapevine.table.ranks import RankHead
from grapevine.table.referrals import CreditedFriend, Referral, ReferralStatus, credited_of
from grapevine.table.rewards import EarnedReward, configs_of, earned_by

LISTED_FRIENDS = 100
"""How many credited friends an answer lists by id."""

LISTED_REWARDS = 100
"""How many rewards an answer shows of a participant; the rewards endpoint pages through all."""

ReferralSource = Literal["DIRECT", "PARTICIPANT", "DELETED_PARTICIPANT"]


@dataclass(frozen=True, slots=True)
class Description:
    """A participant with all that is derived for an answer. `referrer` has none of its own."""

    participant: Participant
    ranks: Ranks
    monthly_referral_count: int
    prev_monthly_referral_count: int
    referrals: list[str]
    monthly_referrals: list[str]
    share_url: str
    referral_source: ReferralSource
    referral_status: ReferralStatus | None
    is_winner: bool
    impressions: Impressions
    invite_count: int
    rewards: list[EarnedReward]
    referrer: Description | None


def describe(campaign: Campaign, participants: Sequence[Participant]) -> list[Description]:
    """The participants in their order. Ranks and lists of friends are as of this moment."""
    now = runtime.now_ms()
    reading = _Reading(campaign, participants, now)
    return [reading.description(participant) for participant in participants]


class _Reading:
    """The rounds that read all that the descriptions need."""

    def __init__(self, campaign: Campaign, participants: Sequence[Participant], now: int) -> None:
        self._campaign, self._participants, self._now = campaign, participants, now
        self._month = month_at(now)
        self._terms = terms_of(campaign)
        campaign_id = campaign.campaign_id
        referred = [p.profile for p in participants if p.profile.referrer_id]
        referrer_ids = list(dict.fromkeys(p.referrer_id for p in referred if p.referrer_id))
        wanted = [key for one in referrer_ids for key in participant_keys(campaign_id, one)]
        people = dict.fromkeys([p.participant_id for p in participants] + referrer_ids)
        wanted += [keys.earnings(campaign_id, one) for one in people]
        wanted += [keys.impressions(campaign_id, one) for one in people]
        wanted += [keys.invitations(campaign_id, one) for one in people]
        wanted += [
            keys.referral(campaign_id, p.referrer_id, p.participant_id)
            for p in referred
            if p.referrer_id
        ]
        wanted.append(rank_keys.rank_head(campaign_id))
        listed = dict.fromkeys(
            p.participant_id for p in participants if p.standing.referral_count
        ) | dict.fromkeys(referrer_ids)
        # The pool's result type is the union of what its calls read.
        results: list[Any] = in_parallel(
            [
                partial(store.get_many, wanted),
                *(partial(credited_of, campaign_id, one, LISTED_FRIENDS) for one in listed),
            ]
        )
        self._found: dict[Key, Item] = results[0]
        self._friends: dict[str, list[CreditedFriend]] = dict(zip(listed, results[1:], strict=True))
        referrers = [participant_in(self._found, campaign_id, one) for one in referrer_ids]
        self._read_what_depends_on_that([*participants, *(one for one in referrers if one)])

    def _read_what_depends_on_that(self, people: Sequence[Participant]) -> None:
        """Ranks of all, and the rewards of the participants (not of those who only referred them)
        who have earned any. Rewards of a campaign reward that is hidden now are hidden, too."""
        campaign_id = self._campaign.campaign_id
        standings = {one.participant_id: one.standing for one in people}
        head = RankHead.found(campaign_id, self._found.get(rank_keys.rank_head(campaign_id)))
        earners = [
            p.participant_id
            for p in self._participants
            if earnings_in(self._found, campaign_id, p.participant_id).earned
        ]
        calls: list[Callable[[], list[Any]]] = [
            partial(ranks_of, campaign_id, list(standings.values()), self._month, head=head)
        ]
        if earners:
            calls.append(partial(configs_of, campaign_id))
            calls += [partial(earned_by, campaign_id, one, LISTED_REWARDS) for one in earners]
        ranks, *of_rewards = in_parallel(calls)
        self._ranks: dict[str, Ranks] = dict(zip(standings, ranks, strict=True))
        configs, earned = (of_rewards[0], of_rewards[1:]) if earners else ([], [])
        offered = {config.reward_id for config in configs if config.is_offered}
        self._rewards: dict[str, list[EarnedReward]] = {
            earner: [reward for reward in rewards if reward.reward_id in offered]
            for earner, rewards in zip(earners, earned, strict=True)
        }

    def description(self, participant: Participant) -> Description:
        campaign_id, profile = self._campaign.campaign_id, participant.profile
        if profile.referrer_id is None:
            return self._describe(participant, None, profile.referral_source, None)
        referrer = participant_in(self._found, campaign_id, profile.referrer_id)
        item = self._found.get(
            keys.referral(campaign_id, profile.referrer_id, profile.participant_id)
        )
        if referrer is None or item is None:
            return self._describe(participant, None, "DELETED_PARTICIPANT", None)
        status = referrals.status_at(Referral.from_item(item), self._terms, self._now)
        above = self._describe(referrer, None, referrer.profile.referral_source, None)
        return self._describe(participant, above, "PARTICIPANT", status)

    def _describe(
        self,
        participant: Participant,
        referrer: Description | None,
        source: ReferralSource,
        status: ReferralStatus | None,
    ) -> Description:
        friends = self._friends.get(participant.participant_id, [])
        month_began = start_of(self._month)
        return Description(
            participant=participant,
            ranks=self._ranks[participant.participant_id],
            monthly_referral_count=participant.standing.count_in(self._month),
            prev_monthly_referral_count=participant.standing.count_in(self._month - 1),
            referrals=[friend.referred_id for friend in friends],
            monthly_referrals=[f.referred_id for f in friends if f.credited_at >= month_began],
            share_url=share_url(self._campaign, participant.profile),
            referral_source=source,
            referral_status=status,
            is_winner=earnings_in(
                self._found, self._campaign.campaign_id, participant.participant_id
            ).is_winner,
            impressions=impressions_in(self._found, participant.standing),
            invite_count=invitations_in(self._found, participant.standing).invite_count,
            rewards=self._rewards.get(participant.participant_id, []),
            referrer=referrer,
        )
