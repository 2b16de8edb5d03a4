"""botocore clients that never leave the machine unless they are told an endpoint."""

from __future__ import annotations

import functools
from typing import Any

import botocore.session
from botocore.config import Config

from local.names import REGION


@functools.cache
def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.set_credentials("local", "local")
    return session


def client(service: str, endpoint_url: str | None = None) -> Any:
    """A client with made-up credentials; it asks neither the environment nor the machine."""
    config = Config(
        connect_timeout=1,
        read_timeout=10,
        retries={"mode": "standard", "max_attempts": 4},
        max_pool_connections=64,
        account_id_endpoint_mode="disabled",
    )
    # Given even where it is the usual one: AWS_ENDPOINT_URL of the environment must not count.
    usual = f"https://{service}.{REGION}.amazonaws.com"
    return _session().create_client(
        service, region_name=REGION, endpoint_url=endpoint_url or usual, config=config
    )
