"""Which table a command works on: a local stack's, or a deployed one's."""

from __future__ import annotations

import argparse
import json
import urllib.request
from dataclasses import replace
from functools import partial
from typing import Any

import botocore.session

from grapevine.runtime import Runtime, Settings
from local import aws
from local.refusals import Refused

_LOCAL_STACK = "/_local/dynamodb"
DEFAULT_ENDPOINT = f"http://127.0.0.1:3000{_LOCAL_STACK}"

# The logical id of the table in the template.
_TABLE = "Table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that choose the table; without any it is the local stack's, never one in AWS."""
    group = parser.add_argument_group(
        "where", f"without these: the local stack, at {DEFAULT_ENDPOINT}"
    )
    group.add_argument("--endpoint", metavar="URL", help="a DynamoDB endpoint on this machine")
    group.add_argument(
        "--stack-name", metavar="NAME", help="a deployed stack, by the usual AWS credentials"
    )
    group.add_argument("--table", metavar="NAME", help="a table, in AWS unless --endpoint is given")


def runtime_of(arguments: argparse.Namespace) -> Runtime:
    """A runtime on the table that the options name.

    Raises:
        Refused: they name none, or more than one.
    """
    if arguments.stack_name and (arguments.endpoint or arguments.table):
        raise Refused("--stack-name stands alone")
    if arguments.stack_name:
        session = botocore.session.get_session()
        return _runtime(session.create_client("dynamodb"), _deployed(session, arguments.stack_name))
    if arguments.table and not arguments.endpoint:
        session = botocore.session.get_session()
        return _runtime(session.create_client("dynamodb"), arguments.table)
    endpoint = arguments.endpoint or DEFAULT_ENDPOINT
    client = aws.client("dynamodb", endpoint)
    runtime = _runtime(client, arguments.table or _only_table(client))
    if endpoint.rstrip("/").endswith(_LOCAL_STACK):
        return replace(runtime, now_ms=partial(_stack_time, endpoint))
    return runtime


def _runtime(client: Any, table: str) -> Runtime:
    clients = {"dynamodb": client}
    return Runtime(Settings({"TABLE_NAME": table}), client=clients.__getitem__)


def _stack_time(endpoint: str) -> int:
    """A local stack has a clock of its own, by which its keys begin and end."""
    url = endpoint.rstrip("/").removesuffix(_LOCAL_STACK) + "/_local/clock"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - it answered just now
        now: int = json.load(answer)["now"]
        return now


def _deployed(session: Any, stack_name: str) -> str:
    answer = session.create_client("cloudformation").describe_stack_resource(
        StackName=stack_name, LogicalResourceId=_TABLE
    )
    name: str = answer["StackResourceDetail"]["PhysicalResourceId"]
    return name


def _only_table(client: Any) -> str:
    names: list[str] = client.list_tables()["TableNames"]
    if len(names) != 1:
        raise Refused(f"the endpoint has {len(names)} tables: choose one with --table")
    return names[0]
