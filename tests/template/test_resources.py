"""The table, the queues and the alarms are what the operations handbook promises."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from grapevine.engine import due
from grapevine.engine.month_end import close
from grapevine.http.public import PublicEndpoint
from local.declarations import EventSource
from local.expansion import expand
from tests.template import bundle
from tests.template.bundle import TEMPLATE


def _of_type(kind: str) -> dict[str, dict[str, Any]]:
    resources = bundle.source()["Resources"]
    return {name: each for name, each in resources.items() if each["Type"] == kind}


def test_the_table_survives_the_stack_and_can_be_restored() -> None:
    (table,) = _of_type("AWS::DynamoDB::Table").values()

    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}


def test_the_table_declares_the_attributes_of_its_keys_and_no_others() -> None:
    (table,) = _of_type("AWS::DynamoDB::Table").values()
    properties = table["Properties"]

    indexes = properties["LocalSecondaryIndexes"] + properties["GlobalSecondaryIndexes"]
    schemas = [properties["KeySchema"], *(index["KeySchema"] for index in indexes)]

    declared = [each["AttributeName"] for each in properties["AttributeDefinitions"]]
    assert len(declared) == len(set(declared))
    assert set(declared) == {key["AttributeName"] for schema in schemas for key in schema}
    assert {
        index["IndexName"]: set(index["Projection"]["NonKeyAttributes"])
        for index in indexes
        if index["Projection"]["ProjectionType"] != "KEYS_ONLY"
    } == {
        "byCreated": {"email", "firstName", "lastName"},
        "campaignByStatus": {"email", "firstName", "lastName", "createdAt"},
    }


@pytest.mark.parametrize("name", sorted(_of_type("AWS::SQS::Queue")))
def test_a_queue_is_encrypted_and_watched(name: str) -> None:
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in _of_type("AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Properties"]["Dimensions"]
        if dimension["Name"] == "QueueName"
    }

    assert _of_type("AWS::SQS::Queue")[name]["Properties"]["SqsManagedSseEnabled"] is True
    assert name in watched


@pytest.mark.parametrize("name", sorted(_of_type("AWS::SQS::Queue")))
def test_a_queue_ends_in_another_or_keeps_what_it_gets_for_two_weeks(name: str) -> None:
    properties = _of_type("AWS::SQS::Queue")[name]["Properties"]

    assert "RedrivePolicy" in properties or properties["MessageRetentionPeriod"] == 14 * 86_400


def test_a_queue_hides_a_message_six_times_as_long_as_its_function_may_run() -> None:
    declared = bundle.declarations()
    queues = {queue.arn: queue for queue in declared.queues.values()}

    for mapping in declared.queue_mappings:
        function = declared.functions[mapping.function_id]
        assert queues[mapping.source_arn].visibility_timeout_s >= 6 * function.timeout_s


def test_a_claim_outlasts_all_tries_of_its_message() -> None:
    declared = bundle.declarations()
    queue = declared.queues["DueQueue"]
    assert queue.redrive is not None

    in_queue_ms = queue.visibility_timeout_s * queue.redrive.max_receive_count * 1000

    assert in_queue_ms < due.LEASE_MS


def test_a_closing_is_sent_again_when_all_tries_of_its_message_are_over() -> None:
    queue = bundle.declarations().queues["SettlementQueue"]
    assert queue.redrive is not None

    in_queue_ms = queue.visibility_timeout_s * queue.redrive.max_receive_count * 1000

    assert in_queue_ms < close.SETTLED_BY_MS


def test_consumers_report_single_failures_and_are_watched() -> None:
    declared = bundle.declarations()
    watched = {
        dimension["Value"]["Ref"]
        for alarm in _of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "Errors"
        for dimension in alarm["Properties"]["Dimensions"]
    }

    mappings: list[EventSource] = [*declared.stream_mappings, *declared.queue_mappings]

    assert all(mapping.reports_item_failures for mapping in mappings)
    consumers = {each.function_id for each in mappings}
    consumers |= {each.function_id for each in declared.schedules}
    assert consumers == watched


def test_a_stream_gives_up_on_a_record_and_keeps_its_place() -> None:
    for mapping in bundle.declarations().stream_mappings:
        assert mapping.bisects
        assert 0 < mapping.max_retries < 10
        # A backlog or an outage of half a day loses nothing; the stream keeps a day.
        assert 12 * 3600 <= mapping.max_age_s < 24 * 3600
        assert mapping.on_failure_arn


@pytest.mark.parametrize("name", sorted(_of_type("AWS::CloudWatch::Alarm")))
def test_an_alarm_says_what_happened_and_reaches_the_operator(name: str) -> None:
    properties = _of_type("AWS::CloudWatch::Alarm")[name]["Properties"]

    assert properties["AlarmDescription"]
    assert properties["TreatMissingData"] == "notBreaching"
    assert properties["AlarmActions"]["Fn::If"][:2] == [
        "HasAlarmEmail",
        [{"Ref": "AlarmTopic"}],
    ]


def test_two_stacks_can_live_in_one_account() -> None:
    naming = {"AlarmName", "FunctionName", "LogGroupName", "QueueName", "RoleName", "TableName"}
    resources = expand(TEMPLATE, {}).document["Resources"]

    fixed = {
        f"{logical_id}.{key}"
        for logical_id, resource in resources.items()
        for key, value in resource["Properties"].items()
        if key in {*naming, "Name", "TopicName"} and isinstance(value, str)
    }

    assert fixed == set()


def test_access_logs_hold_no_path_no_query_and_no_address() -> None:
    (api,) = _of_type("AWS::Serverless::HttpApi").values()

    written = api["Properties"]["AccessLogSettings"]["Format"]

    for secret in ("$context.path", "$context.http", "query", "sourceIp", "identity", "userAgent"):
        assert secret not in written
    assert "$context.routeKey" in written


def test_what_anybody_may_call_is_throttled_apart() -> None:
    (api,) = _of_type("AWS::Serverless::HttpApi").values()
    throttled = api["Properties"]["RouteSettings"]

    open_to_all = {
        f"{route.method} {route.path}"
        for route in bundle.declarations().routes
        if isinstance(bundle.handler(bundle.folder_of(route.function_id)), PublicEndpoint)
    }

    by_key = {"POST /v2/campaign/{id}/participant/{participant}/email"}
    assert throttled.keys() == open_to_all | by_key
    for limits in (throttled[each] for each in open_to_all):
        assert limits["ThrottlingRateLimit"] == {"Ref": "PublicRateLimit"}
        assert limits["ThrottlingBurstLimit"] == {"Ref": "PublicBurstLimit"}


def test_the_template_has_no_aliases() -> None:
    """CloudFormation knows none: whoever deploys without a tool that writes them out would fail."""
    events = yaml.parse(TEMPLATE.read_text(), Loader=yaml.SafeLoader)

    assert not [event for event in events if isinstance(event, yaml.AliasEvent)]


def test_the_api_leaves_cross_origin_access_to_the_functions() -> None:
    """It cannot know the origins of each campaign."""
    (api,) = _of_type("AWS::Serverless::HttpApi").values()

    assert "CorsConfiguration" not in api["Properties"]
