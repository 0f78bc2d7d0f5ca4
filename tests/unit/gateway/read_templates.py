"""Templates that tests read."""

import pytest

from gateway.routing.rules import FixedResponse
from gateway.routing.settings import Routing
from gateway.template.reader import RefusedTemplateError, read_routing
from tests.unit.gateway.support import TEMPLATE

HEAD = """\
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Name: {Type: String, Default: web}
  Port: {Type: Number, Default: 8080, MinValue: 80, MaxValue: 9000}
  Size: {Type: String, AllowedValues: [small, large], Default: small}
  Zones: {Type: CommaDelimitedList, Default: 'a, b'}
Mappings:
  Weights:
    small: {One: 1, Two: 2}
    large: {One: 30, Two: 40}
Conditions:
  Large: !Equals [!Ref Size, large]
  Small: !Not [!Condition Large]
  Both: !And [!Condition Large, !Condition Small]
  Either: {"Fn::Or": [{Condition: Large}, {Condition: Small}]}
"""


def read(text: str, **parameters: str) -> Routing:
    return read_routing(text, parameters, "t.yml")


def refused(text: str, **parameters: str) -> list[str]:
    with pytest.raises(RefusedTemplateError) as caught:
        read(text, **parameters)
    return caught.value.lines


def with_body(expression: str) -> str:
    """A template whose listener answers with the expression's value."""
    return HEAD + TEMPLATE.replace("MessageBody: fixed", f"MessageBody: {expression}")


def body(expression: str, **parameters: str) -> str:
    for rule in read(with_body(expression), **parameters).listeners[0].rules:
        if isinstance(rule.action, FixedResponse):
            return rule.action.body.decode()
    raise AssertionError("no fixed response")


INTERNAL = """\
  Inside:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Scheme: internal}
  Api:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Protocol: HTTP}
  Back:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Inside
      Protocol: HTTP
      Port: 8080
      DefaultActions:
        - {Type: forward, TargetGroupArn: !Ref Api}
"""
