"""A reader for each kind of CloudFormation resource."""
