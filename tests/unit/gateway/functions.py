"""Templates whose target is a Lambda function, and the Python that runs handlers."""

from pathlib import Path

from tests.unit.gateway.support import TEMPLATE

LAMBDA_PYTHON = Path(__file__).parents[3] / ".venv" / "lambda" / "bin" / "python"
"""It has AWS's runtime and emulator: `make .venv/lambda/lambda.txt`."""
FUNCTION = TEMPLATE.replace(
    """\
      Protocol: HTTP
      HealthCheckPath: /health
      UnhealthyThresholdCount: 2
      HealthyThresholdCount: 2
""",
    """\
      TargetType: lambda
      Targets: [{Id: !GetAtt Code.Arn}]
""",
).replace("Resources:\n", "Resources:\n  Code: {Type: AWS::Lambda::Function}\n")
MULTI_FUNCTION = FUNCTION.replace(
    "TargetType: lambda",
    "TargetType: lambda\n      TargetGroupAttributes:\n"
    "        - {Key: lambda.multi_value_headers.enabled, Value: true}",
)
CHECKED_FUNCTION = FUNCTION.replace(
    "TargetType: lambda",
    "TargetType: lambda\n      HealthCheckEnabled: true\n      HealthCheckPath: /health\n"
    "      HealthCheckIntervalSeconds: 5\n      HealthCheckTimeoutSeconds: 2",
)
assert "lambda" in FUNCTION
