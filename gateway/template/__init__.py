"""Reads CloudFormation templates and returns the gateway's settings."""
