"""The failures of commands."""


class CannotDeployError(Exception):
    """A failure that the user can fix; its text says what is wrong and what to do."""


class TookTooLongError(CannotDeployError):
    """Something did not happen in time."""


class StackFailedError(CannotDeployError):
    """CloudFormation could not create, update or delete a stack. `resource` is the type of the
    resource that failed first, or None."""

    def __init__(self, message: str, resource: str | None = None) -> None:
        super().__init__(message)
        self.resource = resource
