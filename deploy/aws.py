"""The clients for one account in one region."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.config import Config

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 8}, connect_timeout=10, read_timeout=60
)


class Aws:
    """A client for each AWS service, created at its first use: creating all would take seconds."""

    def __init__(self, session: Session, endpoint: str | None = None) -> None:
        """`session` has the credentials and the region. `endpoint` is the URL of all services; by
        default AWS's own, or the one in AWS_ENDPOINT_URL."""
        self._session = session
        self._endpoint = endpoint

    @property
    def region(self) -> str | None:
        """The region of all clients, or None if none is configured."""
        return self._session.region_name

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        """Amazon EC2 Auto Scaling."""
        return self._session.client("autoscaling", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """AWS CloudFormation."""
        return self._session.client("cloudformation", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Amazon CloudWatch."""
        return self._session.client("cloudwatch", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Amazon DynamoDB."""
        return self._session.client("dynamodb", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def ec2(self) -> EC2Client:
        """Amazon EC2."""
        return self._session.client("ec2", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def ecr(self) -> ECRClient:
        """Amazon ECR."""
        return self._session.client("ecr", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def ecs(self) -> ECSClient:
        """Amazon ECS."""
        return self._session.client("ecs", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def elb(self) -> ElasticLoadBalancingv2Client:
        """Elastic Load Balancing, version 2015-12-01."""
        return self._session.client("elbv2", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def freetier(self) -> Any:
        """AWS Free Tier, which is in us-east-1 for all regions. Untyped: its stubs would be one
        more package for one call."""
        return self._session.client(
            "freetier", region_name="us-east-1", config=_CONFIG, endpoint_url=self._endpoint
        )

    @cached_property
    def iam(self) -> IAMClient:
        """AWS IAM."""
        return self._session.client("iam", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs."""
        return self._session.client("logs", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def quotas(self) -> ServiceQuotasClient:
        """Service Quotas."""
        return self._session.client("service-quotas", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def rds(self) -> RDSClient:
        """Amazon RDS and Aurora."""
        return self._session.client("rds", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def route53(self) -> Route53Client:
        """Amazon Route 53."""
        return self._session.client("route53", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def s3(self) -> S3Client:
        """Amazon S3."""
        return self._session.client("s3", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def scheduler(self) -> Any:
        """Amazon EventBridge Scheduler. Untyped, as `freetier` is."""
        return self._session.client("scheduler", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """AWS Secrets Manager."""
        return self._session.client("secretsmanager", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def scaling(self) -> ApplicationAutoScalingClient:
        """Application Auto Scaling."""
        return self._session.client(
            "application-autoscaling", config=_CONFIG, endpoint_url=self._endpoint
        )

    @cached_property
    def sns(self) -> SNSClient:
        """Amazon SNS."""
        return self._session.client("sns", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def sqs(self) -> SQSClient:
        """Amazon SQS."""
        return self._session.client("sqs", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def states(self) -> SFNClient:
        """AWS Step Functions."""
        return self._session.client("stepfunctions", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def ssm(self) -> SSMClient:
        """AWS Systems Manager."""
        return self._session.client("ssm", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def sts(self) -> STSClient:
        """AWS STS."""
        return self._session.client("sts", config=_CONFIG, endpoint_url=self._endpoint)

    @cached_property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        """The Resource Groups Tagging API."""
        return self._session.client(
            "resourcegroupstaggingapi", config=_CONFIG, endpoint_url=self._endpoint
        )
