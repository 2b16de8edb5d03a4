"""The official SDK, in strict mode: an answer that does not match its types is an error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from growsurf import Growsurf

from local.stack import Stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Growsurf]:
    with Growsurf(
        base_url=stack.url + "/v2",
        api_key=stack.api_key,
        max_retries=0,
        _strict_response_validation=True,
    ) as opened:
        yield opened


@pytest.fixture
def campaign_id(client: Growsurf) -> str:
    """A campaign in progress, with a share URL."""
    created = client.campaign.create(type="REFERRAL", name="Spring")
    client.campaign.installation.update(created.id, body={"shareUrl": "https://example.com/join"})
    return client.campaign.update(created.id, status="IN_PROGRESS").id
