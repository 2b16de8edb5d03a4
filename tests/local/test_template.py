from __future__ import annotations

from pathlib import Path

import pytest

from local import template
from local.declarations import Declarations
from local.intrinsics import UnresolvedReference
from local.names import Names
from local.stack import Stack
from local.template import Unsupported
from tests.local.conftest import SAMPLE, Http

NAMES = Names("test", "111122223333")


@pytest.fixture(scope="module")
def declared() -> Declarations:
    return template.read(SAMPLE, NAMES)


def test_references_in_a_functions_environment_are_resolved(declared: Declarations) -> None:
    environment = declared.functions["EchoFunction"].environment

    assert environment == {
        "TABLE_NAME": "test-Table",
        "SEEN_QUEUE_URL": NAMES.queue_url("SeenQueue"),
        "GREETING": "hello",
    }


def test_parameters_and_conditions_take_effect() -> None:
    declared = template.read(SAMPLE, NAMES, {"Greeting": "hi", "Loud": "yes"})

    assert declared.functions["EchoFunction"].environment["GREETING"] == "hi!"
    assert "QuietQueue" in declared.queues


def test_what_a_condition_leaves_out_is_not_there(declared: Declarations) -> None:
    assert "QuietQueue" not in declared.queues


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(UnresolvedReference):
        template.read(SAMPLE, NAMES, {"Volume": "11"})


def test_a_functions_own_policy_has_the_stacks_arns(declared: Declarations) -> None:
    [statement] = declared.functions["EchoFunction"].statements

    assert statement["Resource"] == "arn:aws:dynamodb:us-east-1:111122223333:table/test-Table"


def test_mappings_keep_what_they_declare(declared: Declarations) -> None:
    mapping = next(
        each for each in declared.stream_mappings if each.function_id == "ProjectFunction"
    )

    assert (mapping.batch_size, mapping.bisects, mapping.max_retries, mapping.max_age_s) == (
        4,
        True,
        2,
        600,
    )
    assert mapping.reports_item_failures
    assert mapping.on_failure_arn == NAMES.queue_arn("StreamFailureQueue")


def test_what_a_mapping_does_not_declare_has_lambdas_defaults(declared: Declarations) -> None:
    mapping = next(each for each in declared.stream_mappings if each.function_id == "AuditFunction")

    assert (mapping.batch_size, mapping.bisects, mapping.max_retries, mapping.max_age_s) == (
        100,
        False,
        -1,
        -1,
    )


@pytest.mark.parametrize(
    ("declaration", "instead"),
    [
        ("BatchSize: 4", "TumblingWindowInSeconds: 5"),
        (
            "{Type: AWS::Serverless::HttpApi}",
            "{Type: AWS::Serverless::HttpApi, Properties: {CorsConfiguration: true}}",
        ),
        ("VisibilityTimeout: 60", "FifoQueue: true"),
    ],
)
def test_what_is_not_emulated_is_refused_loudly(
    tmp_path: Path, declaration: str, instead: str
) -> None:
    changed = tmp_path / "template.yaml"
    changed.write_text(SAMPLE.read_text().replace(declaration, instead))

    with pytest.raises(Unsupported):
        template.read(changed, NAMES)


def test_two_stacks_in_one_process_do_not_see_each_other() -> None:
    with Stack(SAMPLE, api_key=None) as one, Stack(SAMPLE, api_key=None) as two:
        for stack, times in ((one, 1), (two, 2)):
            for number in range(times):
                stack.dynamodb.put_item(
                    TableName=stack.table_name,
                    Item={"group": {"S": "g"}, "name": {"S": str(number)}, "type": {"S": "Fact"}},
                )
        one.advance(60_000)

        assert one.url != two.url
        assert len(one.queue_messages("SeenQueue")) == 2
        assert len(two.queue_messages("SeenQueue")) == 0
        assert Http(two)("GET", "/echo/1")[1]["now"] < one.now_ms()
