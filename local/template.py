"""Reads `template.yaml` into declarations: what the local stack builds, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.declarations import (
    DEFAULT_ROUTE,
    AsyncPolicy,
    Declarations,
    Function,
    Queue,
    QueueMapping,
    Redrive,
    Route,
    Schedule,
    StreamMapping,
    Table,
)
from local.expansion import Expansion, expand
from local.intrinsics import Resolver, UnresolvedReference
from local.mail_template import event_rules, mail_events
from local.names import Names
from local.patterns import Filters

Properties = dict[str, Any]

_ANY_METHOD = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_INVOCATION = re.compile(r"/functions/(?P<arn>[^/]+)/invocations$")
_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
)
# What the emulation honours, or may honestly pass over because there is one poller, which
# never waits: an emulated batch is delivered as soon as there is a record.
_SHARED_MAPPING_PROPERTIES = {
    "BatchSize",
    "EventSourceArn",
    "FilterCriteria",
    "FunctionName",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "Tags",
}
_STREAM_MAPPING_PROPERTIES = _SHARED_MAPPING_PROPERTIES | {
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
}
_QUEUE_MAPPING_PROPERTIES = _SHARED_MAPPING_PROPERTIES | {"ScalingConfig"}


class Unsupported(ValueError):
    """The template declares something that the local stack does not emulate."""


def read(template: Path, names: Names, parameters: Mapping[str, str] | None = None) -> Declarations:
    """What the template declares, under the names of one stack."""
    expansion = expand(template, parameters or {})
    return _Reader(expansion, names, parameters or {}).declarations()


class _Reader:
    def __init__(self, expansion: Expansion, names: Names, parameters: Mapping[str, str]) -> None:
        self._names = names
        self._code = expansion.code
        self._declared: dict[str, Any] = expansion.document["Resources"]
        resolver = Resolver(
            expansion.document,
            {**_parameter_values(expansion.document, parameters), **names.pseudo_parameters()},
            self._attribute,
        )
        # In the template's order, without what its conditions leave out.
        self._resources: dict[str, tuple[str, Properties]] = {
            logical_id: (resource["Type"], resolver.resolve(resource.get("Properties", {})))
            for logical_id, resource in self._declared.items()
            if "Condition" not in resource or resolver.holds(resource["Condition"])
        }
        self._functions = {
            logical_id: self._function(logical_id, properties)
            for logical_id, properties in self._of("AWS::Lambda::Function")
        }
        # Functions are referred to by name and by ARN.
        self._function_ids = {
            key: each.logical_id
            for each in self._functions.values()
            for key in (each.name, each.arn)
        }

    def declarations(self) -> Declarations:
        mappings = list(self._of("AWS::Lambda::EventSourceMapping"))
        return Declarations(
            functions=self._functions,
            routes=tuple(self._routes()),
            tables={each: self._table(each, p) for each, p in self._of("AWS::DynamoDB::Table")},
            queues={each: self._queue(each, p) for each, p in self._of("AWS::SQS::Queue")},
            stream_mappings=tuple(
                self._stream_mapping(each, p) for each, p in mappings if not _is_queue_source(p)
            ),
            queue_mappings=tuple(
                self._queue_mapping(each, p) for each, p in mappings if _is_queue_source(p)
            ),
            schedules=tuple(self._schedules()),
            mail_events=tuple(mail_events(self._of("AWS::SES::ConfigurationSetEventDestination"))),
            event_rules=tuple(event_rules(self._of("AWS::Events::Rule"))),
            async_policies=dict(self._async_policies()),
        )

    def _of(self, kind: str) -> Iterator[tuple[str, Properties]]:
        return (
            (logical_id, properties)
            for logical_id, (each, properties) in self._resources.items()
            if each == kind
        )

    def _attribute(self, logical_id: str, attribute: str | None) -> str:
        if logical_id not in self._declared:
            raise UnresolvedReference(logical_id)
        return self._names.attribute(self._declared[logical_id]["Type"], logical_id, attribute)

    def _function(self, logical_id: str, properties: Properties) -> Function:
        variables = properties.get("Environment", {}).get("Variables", {})
        return Function(
            logical_id=logical_id,
            name=self._names.name(logical_id),
            arn=self._names.function_arn(logical_id),
            folder=self._code[logical_id],
            handler=properties["Handler"],
            environment={name: str(value) for name, value in variables.items()},
            timeout_s=properties.get("Timeout", 3),
            memory_mb=properties.get("MemorySize", 128),
            statements=tuple(self._statements(properties["Role"])),
        )

    def _statements(self, role_arn: str) -> Iterator[Mapping[str, Any]]:
        for logical_id, role in self._of("AWS::IAM::Role"):
            if self._names.role_arn(logical_id) == role_arn:
                for policy in role.get("Policies", []):
                    statement = policy["PolicyDocument"]["Statement"]
                    yield from statement if isinstance(statement, list) else [statement]

    def _routes(self) -> Iterator[Route]:
        for _, api in self._of("AWS::ApiGatewayV2::Api"):
            body = api["Body"]
            if "x-amazon-apigateway-cors" in body:
                raise Unsupported("CorsConfiguration of the HTTP API")
            for path, methods in body["paths"].items():
                for method, operation in methods.items():
                    yield self._route(method, path, operation[_INTEGRATION])

    def _route(self, method: str, path: str, integration: Properties) -> Route:
        called = _INVOCATION.search(integration["uri"])
        if called is None or integration["payloadFormatVersion"] != "2.0":
            raise Unsupported(f"the integration of {method} {path}")
        return Route(
            method="ANY" if method == _ANY_METHOD else method.upper(),
            # The translator writes the default route with or without a slash.
            path=DEFAULT_ROUTE if path.endswith(DEFAULT_ROUTE) else path,
            function_id=self._function_ids[called["arn"]],
        )

    def _table(self, logical_id: str, properties: Properties) -> Table:
        request = {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}
        stream = properties.get("StreamSpecification")
        if stream:
            request["StreamSpecification"] = {"StreamEnabled": True, **stream}
        expiry = properties.get("TimeToLiveSpecification", {})
        return Table(
            logical_id=logical_id,
            name=self._names.name(logical_id),
            arn=self._names.table_arn(logical_id),
            stream_arn=self._names.stream_arn(logical_id) if stream else None,
            request=request,
            ttl_attribute=expiry["AttributeName"] if expiry.get("Enabled") else None,
        )

    def _queue(self, logical_id: str, properties: Properties) -> Queue:
        if properties.get("FifoQueue"):
            raise Unsupported(f"{logical_id} is a FIFO queue")
        redrive = properties.get("RedrivePolicy")
        return Queue(
            logical_id=logical_id,
            name=self._names.name(logical_id),
            arn=self._names.queue_arn(logical_id),
            url=self._names.queue_url(logical_id),
            delay_s=properties.get("DelaySeconds", 0),
            visibility_timeout_s=properties.get("VisibilityTimeout", 30),
            retention_s=properties.get("MessageRetentionPeriod", 345_600),
            redrive=redrive
            and Redrive(redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])),
        )

    def _stream_mapping(self, logical_id: str, properties: Properties) -> StreamMapping:
        _refuse_others(logical_id, properties, _STREAM_MAPPING_PROPERTIES)
        on_failure = properties.get("DestinationConfig", {}).get("OnFailure", {})
        return StreamMapping(
            **self._event_source(logical_id, properties, batch_size=100),
            bisects=properties.get("BisectBatchOnFunctionError", False),
            max_retries=properties.get("MaximumRetryAttempts", -1),
            max_age_s=properties.get("MaximumRecordAgeInSeconds", -1),
            on_failure_arn=on_failure.get("Destination"),
        )

    def _queue_mapping(self, logical_id: str, properties: Properties) -> QueueMapping:
        _refuse_others(logical_id, properties, _QUEUE_MAPPING_PROPERTIES)
        scaling = properties.get("ScalingConfig", {})
        return QueueMapping(
            **self._event_source(logical_id, properties, batch_size=10),
            max_concurrency=scaling.get("MaximumConcurrency", 1),
        )

    def _event_source(
        self, logical_id: str, properties: Properties, batch_size: int
    ) -> dict[str, Any]:
        filters = properties.get("FilterCriteria", {}).get("Filters", [])
        return {
            "logical_id": logical_id,
            "function_id": self._function_ids[properties["FunctionName"]],
            "source_arn": properties["EventSourceArn"],
            "batch_size": properties.get("BatchSize", batch_size),
            "filters": Filters(each["Pattern"] for each in filters),
            "reports_item_failures": "ReportBatchItemFailures"
            in properties.get("FunctionResponseTypes", []),
        }

    def _schedules(self) -> Iterator[Schedule]:
        for logical_id, rule in self._of("AWS::Events::Rule"):
            if "EventPattern" in rule:
                continue
            for target in rule.get("Targets", []):
                yield self._schedule(logical_id, rule, target, "events", "rule")
        for logical_id, schedule in self._of("AWS::Scheduler::Schedule"):
            if schedule.get("ScheduleExpressionTimezone", "UTC") != "UTC":
                raise Unsupported(f"the time zone of {logical_id}")
            yield self._schedule(
                logical_id, schedule, schedule["Target"], "scheduler", "schedule/default"
            )

    def _schedule(
        self, logical_id: str, properties: Properties, target: Properties, service: str, kind: str
    ) -> Schedule:
        if properties.get("State", "ENABLED") != "ENABLED":
            raise Unsupported(f"{logical_id} is disabled")
        return Schedule(
            logical_id=logical_id,
            arn=self._names.arn(service, f"{kind}/{self._names.name(logical_id)}"),
            source=f"aws.{service}",
            expression=properties["ScheduleExpression"],
            function_id=self._function_ids[target["Arn"]],
            input=target.get("Input"),
        )

    def _async_policies(self) -> Iterator[tuple[str, AsyncPolicy]]:
        for _, properties in self._of("AWS::Lambda::EventInvokeConfig"):
            on_failure = properties.get("DestinationConfig", {}).get("OnFailure", {})
            yield (
                self._function_ids[properties["FunctionName"]],
                AsyncPolicy(
                    max_retries=properties.get("MaximumRetryAttempts", 2),
                    max_age_s=properties.get("MaximumEventAgeInSeconds", 21_600),
                    on_failure_arn=on_failure.get("Destination"),
                ),
            )


def _parameter_values(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    declared = document.get("Parameters", {})
    unknown = given.keys() - declared.keys()
    if unknown:
        raise UnresolvedReference(f"parameters {sorted(unknown)}")
    defaults = {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}
    return {**defaults, **given}


def _is_queue_source(properties: Properties) -> bool:
    return ":sqs:" in properties["EventSourceArn"]


def _refuse_others(logical_id: str, properties: Properties, emulated: set[str]) -> None:
    others = properties.keys() - emulated
    if others:
        raise Unsupported(f"{logical_id} sets {', '.join(sorted(others))}")
