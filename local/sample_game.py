"""What the sample events speak of in the sample campaign's game: its mechanics, and a code."""

from __future__ import annotations

from grapevine.engine.mechanics.code_secret import code_secret
from grapevine.engine.mechanics.draws import new_secret
from grapevine.engine.mechanics.win_codes import hash_of_code
from grapevine.table import store
from grapevine.table.codes import Code
from grapevine.table.mechanics import Mechanics
from grapevine.table.writes import ABSENT, Put

CODE = "SAMP-AX7K9M2P"


def write(account_id: str, campaign_id: str, now: int) -> None:
    """Mechanics that keep a board of the week, and a code that is worth 50 points."""
    mechanics = Mechanics(
        campaign_id=campaign_id,
        version=1,
        configuration={"leaderboard": {"periods": ["week"]}},
        draw_secret=new_secret(),
        secret_number=1,
        secret_at=now,
        changed_at=now,
        changed_by="key_sample",
    )
    code = Code(
        account_id=account_id,
        code_hash=hash_of_code(code_secret(account_id), CODE),
        campaign_id=campaign_id,
        points_value=50,
        created_at=now,
    )
    store.transact([Put(entity.to_item(), ABSENT) for entity in (mechanics, code)])
