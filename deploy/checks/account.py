"""The account and the caller that the credentials belong to."""

from dataclasses import dataclass

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from deploy.aws import Aws
from deploy.errors import CannotDeployError

_BAD = {
    "ExpiredToken": "the credentials have expired: sign in again",
    "ExpiredTokenException": "the credentials have expired: sign in again",
    "InvalidClientTokenId": "AWS does not know these credentials in this region; they may be "
    "mistyped, or the region may not be enabled for the account",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key",
    "UnrecognizedClientException": "AWS does not know these credentials",
}


@dataclass(frozen=True)
class Account:
    """The account's number, and the ARN of the caller."""

    number: str
    caller: str


def identify(aws: Aws) -> Account:
    """The account and caller of the credentials. Raises `CannotDeployError` if the region or the
    credentials are missing or invalid."""
    if not aws.region:
        raise CannotDeployError(
            "No region is chosen: set AWS_REGION, like AWS_REGION=eu-west-1, or run `aws configure`"
        )
    try:
        found = aws.sts.get_caller_identity()
    except NoRegionError as error:
        raise CannotDeployError("No region is chosen: set AWS_REGION") from error
    except NoCredentialsError as error:
        raise CannotDeployError(
            "There are no AWS credentials: run `aws configure sso` and `aws sso login`, or set "
            "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except EndpointConnectionError as error:
        raise CannotDeployError(
            f"AWS does not respond in the region {aws.region}: is the name right? ({error})"
        ) from error
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        raise CannotDeployError(_BAD.get(code, str(error))) from error
    except BotoCoreError as error:
        raise CannotDeployError(f"AWS credentials: {error}") from error
    return Account(found["Account"], found["Arn"])
