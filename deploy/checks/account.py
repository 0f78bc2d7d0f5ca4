"""Whose account it is, or what is in the way of knowing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from deploy.errors import CannotDeployError

if TYPE_CHECKING:
    from deploy.aws import Aws

_BAD = {
    "ExpiredToken": "the credentials have run out: sign in again",
    "ExpiredTokenException": "the credentials have run out: sign in again",
    "InvalidClientTokenId": "AWS does not know these credentials in this region; they may be "
    "mistyped, or the region may not be enabled for the account",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key",
    "UnrecognizedClientException": "AWS does not know these credentials",
}


@dataclass(frozen=True)
class Account:
    """The account's number, and who asks, as an ARN."""

    number: str
    caller: str


def identify(aws: Aws) -> Account:
    """Ask AWS who we are. Raises `CannotDeployError` with what is missing: a region, credentials,
    or good ones."""
    if not aws.region:
        raise CannotDeployError(
            "No region is chosen: set AWS_REGION, like AWS_REGION=eu-west-1, or `aws configure`"
        )
    try:
        found = aws.sts.get_caller_identity()
    except NoRegionError as error:
        raise CannotDeployError("No region is chosen: set AWS_REGION") from error
    except NoCredentialsError as error:
        raise CannotDeployError(
            "There are no AWS credentials: `aws configure sso` and `aws sso login`, or set "
            "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except EndpointConnectionError as error:
        raise CannotDeployError(
            f"Nothing answers for the region {aws.region}: is that its name? ({error})"
        ) from error
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        raise CannotDeployError(_BAD.get(code, str(error))) from error
    except BotoCoreError as error:
        raise CannotDeployError(f"AWS credentials: {error}") from error
    return Account(found["Account"], found["Arn"])
