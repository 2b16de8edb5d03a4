"""Each function may do what it does, and nothing else.

What a function's role allows is compared with the calls that its handler made while every operation
was carried out.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.declarations import Declarations
from local.expansion import expand
from local.invocation import Call
from local.stack import Stack
from tests import scenarios
from tests.permissions import allowed as permitted
from tests.permissions import denied, listed, resources
from tests.template import bundle
from tests.template.bundle import TEMPLATE

pytestmark = pytest.mark.both_engines

FUNCTION_IDS = sorted(bundle.declarations().functions)

# What Lambda itself does in a function's name to feed it from a stream or from a queue.
STREAM_ACTIONS = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
QUEUE_ACTIONS = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

# What SAM adds to every role: writing log lines and traces.
SHARED_POLICIES = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}


@pytest.fixture(scope="module")
def played(engine: str) -> Iterator[Stack]:
    """A stack on which everything has happened once."""
    parameters = {"WebhookLocalHosts": "127.0.0.1"}
    with Stack(TEMPLATE, engine=engine, background=False, parameters=parameters) as stack:
        scenarios.run_all(stack)
        yield stack


def _of_lambda(declared: Declarations, function_id: str) -> set[Call]:
    needed: set[Call] = set()
    for stream in declared.stream_mappings:
        if stream.function_id == function_id:
            needed |= {(action, stream.source_arn) for action in STREAM_ACTIONS}
            if stream.on_failure_arn:
                needed.add(("sqs:SendMessage", stream.on_failure_arn))
    for queue in declared.queue_mappings:
        if queue.function_id == function_id:
            needed |= {(action, queue.source_arn) for action in QUEUE_ACTIONS}
    return needed


def _permissions(stack: Stack, function_id: str) -> tuple[set[Call], set[Call]]:
    """What the function's role allows, and what is needed."""
    declared = stack.declared
    statements = declared.functions[function_id].statements
    needed = stack.calls[function_id] | _of_lambda(declared, function_id)
    return permitted(statements, resources(declared)), needed


@pytest.mark.parametrize("function_id", FUNCTION_IDS)
def test_a_function_may_do_all_that_it_did(played: Stack, function_id: str) -> None:
    allowed, needed = _permissions(played, function_id)

    assert needed - allowed == set()


@pytest.mark.parametrize("function_id", FUNCTION_IDS)
def test_a_function_did_all_that_it_may_do(played: Stack, function_id: str) -> None:
    allowed, needed = _permissions(played, function_id)

    assert allowed - needed == set()


@pytest.mark.parametrize("function_id", FUNCTION_IDS)
def test_a_role_names_each_action_and_no_other_policy(function_id: str) -> None:
    role = expand(TEMPLATE, {}).document["Resources"][f"{function_id}Role"]["Properties"]
    statements = bundle.declarations().functions[function_id].statements

    attached = {str(arn).rsplit("/", 1)[-1].strip("'}] ") for arn in role["ManagedPolicyArns"]}

    actions = [action for each in statements for action in listed(each["Action"])]
    assert not any("*" in action or action.endswith(":Scan") for action in actions)
    assert not any(pattern == "*" for each in statements for pattern in listed(each["Resource"]))
    assert attached == SHARED_POLICIES


def test_what_a_role_does_not_allow_is_noticed_at_the_end_of_every_test(played: Stack) -> None:
    (table,) = played.declared.tables.values()
    beyond = ("dynamodb:Scan", table.arn)
    made = {**played.calls, "GetCampaignFunction": played.calls["GetCampaignFunction"] | {beyond}}

    assert denied(played.declared, played.calls) == {}
    assert denied(played.declared, made) == {"GetCampaignFunction": {beyond}}
