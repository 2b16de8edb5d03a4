"""Where the items of a campaign's mechanics live: configuration, receipts, prizes, codes. Ids are
checked as in `table/keys.py`."""

from __future__ import annotations

from grapevine.table import keys
from grapevine.table.keys import Key

CODE_BATCH_PREFIX = "CODEBATCH#"
CODE_COUNT_PREFIX = "CODECOUNT#"
VERSION_PREFIX = "VERSION#"

_CODE = "CODE"


def _id(text: str) -> str:
    if not keys.is_id(text):
        raise ValueError("not an id")
    return text


def mechanics(campaign_id: str) -> Key:
    return Key(keys.campaign(campaign_id).partition, "MECHANICS")


def mechanics_version(campaign_id: str, version: int) -> Key:
    """Versions sort in the order in which they were saved."""
    partition = f"{keys.campaign(campaign_id).partition}#MECHANICS"
    return Key(partition, f"{VERSION_PREFIX}{version:010d}")


def draw_secret(campaign_id: str, number: int) -> Key:
    """Former secrets stand beside the versions."""
    partition = f"{keys.campaign(campaign_id).partition}#MECHANICS"
    return Key(partition, f"SECRET#{number:010d}")


def receipt(campaign_id: str, key_hash: str) -> Key:
    return Key(f"{keys.campaign(campaign_id).partition}#RECEIPT#{_id(key_hash)}", "RECEIPT")


def stock(campaign_id: str, tier_id: str) -> Key:
    return Key(f"{keys.campaign(campaign_id).partition}#PRIZE#{_id(tier_id)}", "STOCK")


def stock_day(campaign_id: str, tier_id: str, day: int) -> Key:
    """`day` as in `engine/mechanics/periods.py`."""
    return Key(stock(campaign_id, tier_id).partition, f"DAY#{day:08d}")


def hidden_prizes(campaign_id: str, save_id: str) -> str:
    """The partition of what a save of the mechanics has hidden in time."""
    return f"{keys.campaign(campaign_id).partition}#MOMENTS#{_id(save_id)}"


def hidden_prize(campaign_id: str, save_id: str, at: int, tier_id: str, number: int) -> Key:
    """They sort by their time (ms)."""
    sort = f"{at:015d}#{_id(tier_id)}#{number:06d}"
    return Key(hidden_prizes(campaign_id, save_id), sort)


def hidden_from(at: int) -> str:
    """Sorts before all that is hidden at a time (ms) or later."""
    return f"{at:015d}"


def hidden_to(at: int) -> str:
    """Sorts after all that is hidden at a time (ms) or before."""
    return hidden_from(at + 1)


def right_after(key: Key) -> str:
    """A sort key that comes right after this one's."""
    return f"{key.sort}!"


def player_count(campaign_id: str, part: int) -> Key:
    return Key(f"{keys.campaign(campaign_id).partition}#PLAYERS", f"COUNT#{part:02d}")


def win_list(campaign_id: str) -> str:
    """All wins of the campaign, in the index by creation."""
    return f"{keys.campaign(campaign_id).partition}#WINS"


def code_secret(account_id: str) -> Key:
    return Key(keys.account(account_id).partition, "CODESECRET")


def code(account_id: str, code_hash: str) -> Key:
    """Codes are unique in the account, whatever campaign they belong to."""
    return Key(f"{keys.account(account_id).partition}#CODE#{_id(code_hash)}", _CODE)


def is_code(key: Key) -> bool:
    return key.sort == _CODE


def code_batch(campaign_id: str, created_at: int, batch_id: str) -> Key:
    """Batches of a campaign sort by the time they were made."""
    partition = f"{keys.campaign(campaign_id).partition}#CODES"
    return Key(partition, f"{CODE_BATCH_PREFIX}{created_at:015d}#{_id(batch_id)}")


def code_count(campaign_id: str, batch_id: str, part: int) -> Key:
    """Beside the batches: one Query reads all of them and all their counts."""
    partition = f"{keys.campaign(campaign_id).partition}#CODES"
    return Key(partition, f"{CODE_COUNT_PREFIX}{_id(batch_id)}#{part:02d}")


def code_attempts(account_id: str, subject: str, minute: int) -> Key:
    """`subject` is who tries, `minute` counts from the epoch."""
    partition = f"{keys.account(account_id).partition}#CODEATTEMPTS#{_id(subject)}"
    return Key(partition, f"MINUTE#{minute:09d}")
