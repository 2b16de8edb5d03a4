"""Which actions on which resources IAM would check for one call to AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.invocation import Call
from local.names import Names

_TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def permissions(
    names: Names, service: str, operation: str, parameters: Mapping[str, Any]
) -> set[Call]:
    """For a transaction these are the actions it consists of, as IAM has it."""
    if service == "dynamodb":
        return set(_dynamodb(names, operation, parameters))
    if service == "sqs":
        return {(_queue_action(operation), _queue_arn(names, parameters))}
    if service == "sesv2":
        return set(_ses(names, operation, parameters))
    if service == "kms":
        return {(f"kms:{operation}", parameters["KeyId"])}
    return {(f"{service}:{operation}", "*")}


def _dynamodb(names: Names, operation: str, parameters: Mapping[str, Any]) -> Iterator[Call]:
    def table(name: str, index: str | None = None) -> str:
        return names.arn("dynamodb", f"table/{name}" + (f"/index/{index}" if index else ""))

    if "TransactItems" in parameters:
        for item in parameters["TransactItems"]:
            for kind, request in item.items():
                yield f"dynamodb:{_TRANSACTION_ACTIONS[kind]}", table(request["TableName"])
    elif "RequestItems" in parameters:
        for name in parameters["RequestItems"]:
            yield f"dynamodb:{operation}", table(name)
    elif "TableName" in parameters:
        index = parameters.get("IndexName")
        yield f"dynamodb:{operation}", table(parameters["TableName"], index)
    else:
        yield f"dynamodb:{operation}", "*"


def _ses(names: Names, operation: str, parameters: Mapping[str, Any]) -> Iterator[Call]:
    """Identities are the account's, not the template's: any may be used. A whole message, as it is
    sent here, takes the action of its own as well."""
    resources = [names.arn("ses", "identity/*")]
    if "ConfigurationSetName" in parameters:
        name = parameters["ConfigurationSetName"]
        resources.append(names.arn("ses", f"configuration-set/{name}"))
    actions = [operation]
    if "Raw" in parameters.get("Content", {}):
        actions.append("SendRawEmail")
    for action in actions:
        for resource in resources:
            yield f"ses:{action}", resource


def _queue_action(operation: str) -> str:
    # IAM knows no batch actions of SQS.
    return f"sqs:{operation.removesuffix('Batch')}"


def _queue_arn(names: Names, parameters: Mapping[str, Any]) -> str:
    url = parameters.get("QueueUrl")
    return names.arn("sqs", url.rsplit("/", 1)[-1]) if url else "*"
