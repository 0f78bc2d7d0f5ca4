"""Why a command on AWS stops."""


class CannotDeployError(Exception):
    """Something that a person can mend; its text says what, and how."""


class TookTooLongError(CannotDeployError):
    """What was waited for did not happen in time."""


class StackFailedError(CannotDeployError):
    """CloudFormation could not do it. `resource` is the type of the resource that failed first,
    where one did."""

    def __init__(self, message: str, resource: str | None = None) -> None:
        super().__init__(message)
        self.resource = resource
