"""A local Application Load Balancer: it routes as the deployed CloudFormation template says.

It is independent of the application behind it, and imports none of its code.
"""
