"""The largest sign-up that the documented limits allow is one transaction that DynamoDB takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from grapevine.engine.participants import metadata
from grapevine.engine.rewards import configs
from grapevine.table import keys, store
from grapevine.table.writes import MOST_WRITES, Write
from local.stack import Stack
from tests.api import Api
from tests.conftest import inside
from tests.front_door.test_fraud_modes import AT_SIGNUP
from tests.mailing import Mailing
from tests.refusals import refused_fields

SIGNALS = {"fingerprint": "one", "ipAddress": "203.0.113.7", "mobileInstanceId": "two"}
MOST_METADATA = {f"key{number}x": number for number in range(metadata.MOST_KEYS)}


def referrer_of(api: Api, campaign_id: str, rewards: int) -> str:
    """Somebody in a campaign where one friend's sign-up earns both of them every reward."""
    for number in range(rewards):
        reward = {"type": "DOUBLE_SIDED", "referredRewardUpfront": number % 2 == 0}
        api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", reward)
    return str(api.add(campaign_id, firstName="Ada", **SIGNALS)["id"])


def join(api: Api, campaign_id: str, referrer: str, keys_sent: dict[str, int]) -> Any:
    body = {"email": "friend@one.example", "firstName": "Grace", "referredBy": referrer, **SIGNALS}
    path = f"/v2/campaign/{campaign_id}/participant"
    return api.call("POST", path, {**body, "metadata": keys_sent})


@pytest.mark.parametrize("fraud", [{}, {"blockHighRiskReferrers": True}])
def test_the_largest_signup_fits(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch, fraud: dict[str, bool]
) -> None:
    """With all metadata, a vanity key, four traits, a report, a referrer who is found out, a salt
    for invites, and a credit that earns every reward for both."""
    transact, sizes = store.transact, []

    def counted(writes: Sequence[Write]) -> None:
        sizes.append(len(writes))
        transact(writes)

    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = Mailing(fresh_stack, api, installation=AT_SIGNUP, options={"fraud": fraud}).id
        referrer = referrer_of(api, campaign_id, configs.MOST_CONFIGS)
        monkeypatch.setattr(store, "transact", counted)

        answer = join(api, campaign_id, referrer, MOST_METADATA)

        assert answer.status_code == 200, answer.text
        friend = answer.json()
        assert api.read(campaign_id, referrer)["fraudRiskLevel"] == "HIGH"
        assert len(friend["rewards"]) == (0 if fraud else configs.MOST_CONFIGS)
        assert max(sizes) <= MOST_WRITES
        # So that the sum above stays what it says: nothing of the largest sign-up is left out.
        assert fraud or max(sizes) == MOST_WRITES - 1


def test_a_signup_that_older_limits_make_too_large_is_refused_before_a_number_is_drawn(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        campaign_id = api.campaign(installation=AT_SIGNUP)
        monkeypatch.setattr(configs, "MOST_CONFIGS", 20)
        referrer = referrer_of(api, campaign_id, 20)

        refused = join(api, campaign_id, referrer, MOST_METADATA)

        assert refused_fields(refused) == ["metadata"]
        friend = join(api, campaign_id, referrer, {}).json()
        assert len(friend["rewards"]) == 20
        with inside(fresh_stack):
            standing = store.get(keys.standing(campaign_id, friend["id"]))
        assert standing is not None
        assert standing["joinSequence"] == 2
