"""Empties and deletes buckets: AWS deletes only empty ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.checks.ownership import resources

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

Say = Callable[[str], None]


def names(aws: Aws, stack: str) -> list[str]:
    """The buckets of a stack."""
    return resources(aws, stack, "AWS::S3::Bucket")


def empty(aws: Aws, bucket: str, say: Say) -> None:
    """Delete the objects of the bucket, if there is one."""
    say(f"{bucket}: deleting its objects ...")
    try:
        for page in aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys: list[ObjectIdentifierTypeDef] = [
                {"Key": found.get("Key", "")} for found in page.get("Contents", [])
            ]
            if keys:
                aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    except ClientError as error:
        if error.response["Error"].get("Code") != "NoSuchBucket":
            raise


def delete(aws: Aws, bucket: str, say: Say) -> None:
    """Empty and delete the bucket, if there still is one."""
    if bucket in [found.get("Name") for found in aws.s3.list_buckets()["Buckets"]]:
        empty(aws, bucket, say)
        aws.s3.delete_bucket(Bucket=bucket)
