"""Where every item and every index entry lives: the only module that spells a key.

Ids are opaque words of letters, digits, `-` and `_`; anything else is refused here, so that no
value from outside can reach into another campaign's keys. An e-mail address may hold a `#`, but
it is always the last part of its key.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")

DUE_SHARDS = 8
"""Partitions of the due index: each sweep reads all of them, each write goes to one."""


class Key(NamedTuple):
    partition: str
    sort: str


def is_id(text: str) -> bool:
    """Whether `text` can be an id at all; if not, nothing with that id exists."""
    return _ID.fullmatch(text) is not None


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("not an id")
    return text


API_KEY_PREFIX = "APIKEY#"
CAMPAIGN_PREFIX = "CAMPAIGN#"
DELIVERY_PREFIX = "DELIVERY#"
EARNED_PREFIX = "EARNED#"
INVITE_PREFIX = "INVITE#"
PARTICIPANT_PREFIX = "PARTICIPANT#"
REFERRAL_PREFIX = "REFERRAL#"
REWARD_PREFIX = "REWARD#"
WEBHOOK_PREFIX = "WEBHOOK"

_MAIL = "MAIL"


def account(account_id: str) -> Key:
    return Key(f"ACCOUNT#{_id(account_id)}", "ACCOUNT")


def account_campaign(account_id: str, campaign_id: str) -> Key:
    return Key(f"ACCOUNT#{_id(account_id)}", f"{CAMPAIGN_PREFIX}{_id(campaign_id)}")


def campaign_slug(account_id: str, slug: str) -> Key:
    return Key(f"ACCOUNT#{_id(account_id)}", f"SLUG#{_id(slug)}")


def account_api_key(account_id: str, key_id: str) -> Key:
    return Key(f"ACCOUNT#{_id(account_id)}", f"{API_KEY_PREFIX}{_id(key_id)}")


def api_key(key_hash: str) -> Key:
    return Key(f"APIKEY#{_id(key_hash)}", "APIKEY")


def campaign(campaign_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", "CAMPAIGN")


def totals(campaign_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", "TOTALS")


def reward_config(campaign_id: str, reward_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", f"{REWARD_PREFIX}{_id(reward_id)}")


def calendar(campaign_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", "CALENDAR")


def month_closing(campaign_id: str, month: int) -> Key:
    """`month` as in `grapevine.months`."""
    return Key(f"CAMPAIGN#{_id(campaign_id)}#MONTH#{month}", "CLOSING")


def month_snapshot(campaign_id: str, month: int) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}#MONTH#{month}", "SNAPSHOT")


def webhook(campaign_id: str, webhook_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", f"{WEBHOOK_PREFIX}#{_id(webhook_id)}")


def webhook_health(campaign_id: str, webhook_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", f"{WEBHOOK_PREFIX}HEALTH#{_id(webhook_id)}")


def webhook_event(campaign_id: str, event_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}#EVENT#{_id(event_id)}", "EVENT")


def webhook_payload_part(campaign_id: str, event_id: str, number: int) -> Key:
    return Key(webhook_event(campaign_id, event_id).partition, f"PAYLOAD#{number:03d}")


def delivery(campaign_id: str, webhook_id: str, created_at: int, event_id: str) -> Key:
    """Deliveries of a webhook sort by the time of their events."""
    partition = f"CAMPAIGN#{_id(campaign_id)}#WEBHOOK#{_id(webhook_id)}"
    return Key(partition, f"{DELIVERY_PREFIX}{created_at:015d}#{_id(event_id)}")


def salt(campaign_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", "SALT")


def join_sequence(campaign_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}", "SEQUENCE")


def _participant(campaign_id: str, participant_id: str) -> str:
    return f"CAMPAIGN#{_id(campaign_id)}#PARTICIPANT#{_id(participant_id)}"


def profile(campaign_id: str, participant_id: str) -> Key:
    return Key(_participant(campaign_id, participant_id), "PROFILE")


def standing(campaign_id: str, participant_id: str) -> Key:
    return Key(_participant(campaign_id, participant_id), "STANDING")


def earnings(campaign_id: str, participant_id: str) -> Key:
    return Key(_participant(campaign_id, participant_id), "EARNINGS")


def impressions(campaign_id: str, participant_id: str) -> Key:
    return Key(_participant(campaign_id, participant_id), "IMPRESSIONS")


def earned_reward(campaign_id: str, participant_id: str, number: int) -> Key:
    """Rewards of a participant sort in the order in which they were earned."""
    return Key(_participant(campaign_id, participant_id), f"{EARNED_PREFIX}{number:010d}")


def counted(campaign_id: str, participant_id: str, source: str) -> Key:
    """`source` is the type of the item whose changes are counted."""
    return Key(_participant(campaign_id, participant_id), f"COUNTED#{source.upper()}")


def referral(campaign_id: str, referrer_id: str, referred_id: str) -> Key:
    """A referral lives with the referrer, so that a referrer's referrals are one Query."""
    return Key(_participant(campaign_id, referrer_id), f"{REFERRAL_PREFIX}{_id(referred_id)}")


def invite(campaign_id: str, referrer_id: str, address_hash: str) -> Key:
    """An invite lives with the participant who sent it, one for each address."""
    return Key(_participant(campaign_id, referrer_id), f"{INVITE_PREFIX}{_id(address_hash)}")


def invitations(campaign_id: str, participant_id: str) -> Key:
    return Key(_participant(campaign_id, participant_id), "INVITATIONS")


def invite_day(campaign_id: str, day: int) -> Key:
    """`day` counts from the epoch."""
    return Key(f"CAMPAIGN#{_id(campaign_id)}#INVITEDAY#{day}", "INVITEDAY")


def mail(campaign_id: str, mail_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}#MAIL#{_id(mail_id)}", _MAIL)


def mail_text(campaign_id: str, text_id: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}#MAILTEXT#{_id(text_id)}", "MAILTEXT")


def suppression(campaign_id: str, address_hash: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}#SUPPRESSED#{_id(address_hash)}", "SUPPRESSED")


def email_guard(campaign_id: str, normalised_email: str) -> Key:
    return Key(f"CAMPAIGN#{_id(campaign_id)}#EMAIL#{normalised_email}", "EMAIL")


def key_guard(campaign_id: str, share_key: str) -> Key:
    """Participant ids and vanity keys share one namespace, compared without case."""
    return Key(f"CAMPAIGN#{_id(campaign_id)}#KEY#{_id(share_key).lower()}", "KEY")


def visitor(campaign_id: str, visitor_hash: str, participant_id: str) -> Key:
    """What one visitor has done to the participants' links."""
    partition = f"CAMPAIGN#{_id(campaign_id)}#VISITOR#{_id(visitor_hash)}"
    return Key(partition, f"{PARTICIPANT_PREFIX}{_id(participant_id)}")


def source_hour(campaign_id: str, source_hash: str, hour: int) -> Key:
    """`hour` counts from the epoch."""
    return Key(f"CAMPAIGN#{_id(campaign_id)}#SOURCE#{_id(source_hash)}", f"HOUR#{hour}")


def metadata_pair(campaign_id: str, pair_hash: str) -> str:
    """The partition that lists the participants with one metadata key and value."""
    return f"CAMPAIGN#{_id(campaign_id)}#METADATA#{_id(pair_hash)}"


def metadata_entry(campaign_id: str, pair_hash: str, participant_id: str) -> Key:
    return Key(metadata_pair(campaign_id, pair_hash), f"{PARTICIPANT_PREFIX}{_id(participant_id)}")


def all_time_board(campaign_id: str) -> str:
    return f"CAMPAIGN#{_id(campaign_id)}#BOARD#ALLTIME"


def month_board(campaign_id: str, month: int) -> str:
    """`month` as in `grapevine.months`."""
    return f"CAMPAIGN#{_id(campaign_id)}#BOARD#MONTH#{month}"


def impression_board(campaign_id: str) -> str:
    return f"CAMPAIGN#{_id(campaign_id)}#BOARD#IMPRESSIONS"


def visited(campaign_id: str) -> str:
    """Lists the participants whose link has been seen, in join order."""
    return f"CAMPAIGN#{_id(campaign_id)}#VISITED"


def unique_impression_board(campaign_id: str) -> str:
    return f"CAMPAIGN#{_id(campaign_id)}#BOARD#UNIQUEIMPRESSIONS"


def join_order(campaign_id: str) -> str:
    return f"CAMPAIGN#{_id(campaign_id)}#JOINED"


def due_shard(shard: int) -> str:
    return f"DUE#{shard}"


def month_end_shard(shard: int) -> str:
    """Months' ends have shards of their own: the sweep does not look at them."""
    return f"MONTHEND#{shard}"


def is_delivery(key: Key) -> bool:
    return key.sort.startswith(DELIVERY_PREFIX)


def is_mail(key: Key) -> bool:
    return key.sort == _MAIL


def campaign_of_mail(key: Key) -> str:
    """The campaign id in the key of a mail."""
    return key.partition.split("#")[1]


def participant_in(partition: str) -> str:
    """The participant id in the partition of one of the participant's items."""
    return partition.rsplit("#", 1)[1]


def referred_in(sort: str) -> str:
    """The referred participant's id in a referral's sort key."""
    return sort.removeprefix(REFERRAL_PREFIX)
