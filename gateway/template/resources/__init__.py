"""Readers for the types of CloudFormation resources."""
