"""A local Application Load Balancer: it routes by the CloudFormation template that is deployed.

It knows nothing of what it stands in front of, and imports nothing of it.
"""
