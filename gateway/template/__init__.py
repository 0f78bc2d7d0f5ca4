"""From a CloudFormation template to the gateway's settings."""
