"""What the resources of one local stack are called: physical names, ARNs and URLs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Names:
    """Names follow from the stack's name and the logical id alone.

    A name that the template sets itself (TableName, QueueName …) is passed over: several stacks
    can then run side by side in one process or against one DynamoDB endpoint.
    """

    stack: str
    account_id: str

    def name(self, logical_id: str) -> str:
        return f"{self.stack}-{logical_id}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{self.account_id}:{resource}"

    def table_arn(self, logical_id: str) -> str:
        return self.arn("dynamodb", f"table/{self.name(logical_id)}")

    def stream_arn(self, logical_id: str) -> str:
        return f"{self.table_arn(logical_id)}/stream/2024-01-01T00:00:00.000"

    def queue_arn(self, logical_id: str) -> str:
        return self.arn("sqs", self.name(logical_id))

    def queue_url(self, logical_id: str) -> str:
        return f"https://sqs.{REGION}.amazonaws.com/{self.account_id}/{self.name(logical_id)}"

    def key_arn(self, logical_id: str) -> str:
        return self.arn("kms", f"key/{self.name(logical_id)}")

    def api_url(self, logical_id: str) -> str:
        """A stand-in, until the stack has a port."""
        return f"https://{self.name(logical_id).lower()}.execute-api.invalid"

    def function_arn(self, logical_id: str) -> str:
        return self.arn("lambda", f"function:{self.name(logical_id)}")

    def role_arn(self, logical_id: str) -> str:
        return f"arn:aws:iam::{self.account_id}:role/{self.name(logical_id)}"

    def attribute(self, kind: str, logical_id: str, attribute: str | None) -> str:
        """What Ref (attribute None) or Fn::GetAtt says about a resource of this type."""
        known = _ATTRIBUTES.get((kind, attribute))
        if known is not None:
            return known(self, logical_id)
        if attribute is None:
            return self.name(logical_id)
        service = kind.split("::")[1].lower()
        return self.arn(service, f"{self.name(logical_id)}/{attribute}")

    def pseudo_parameters(self) -> dict[str, str]:
        return {
            "AWS::AccountId": self.account_id,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": self.arn("cloudformation", f"stack/{self.stack}/local"),
            "AWS::StackName": self.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }


_ATTRIBUTES: dict[tuple[str, str | None], Callable[[Names, str], str]] = {
    ("AWS::DynamoDB::Table", "Arn"): Names.table_arn,
    ("AWS::DynamoDB::Table", "StreamArn"): Names.stream_arn,
    ("AWS::SQS::Queue", None): Names.queue_url,
    ("AWS::SQS::Queue", "Arn"): Names.queue_arn,
    ("AWS::SQS::Queue", "QueueName"): Names.name,
    ("AWS::SQS::Queue", "QueueUrl"): Names.queue_url,
    ("AWS::KMS::Key", "Arn"): Names.key_arn,
    ("AWS::ApiGatewayV2::Api", "ApiEndpoint"): Names.api_url,
    ("AWS::Serverless::HttpApi", "ApiEndpoint"): Names.api_url,
    ("AWS::Lambda::Function", "Arn"): Names.function_arn,
    ("AWS::IAM::Role", "Arn"): Names.role_arn,
}
