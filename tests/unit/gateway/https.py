"""A gateway with an HTTPS listener, and an HTTP listener that redirects to it."""

from random import Random

from gateway.gateway import Gateway, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.observe.access_log import AccessLog
from gateway.template.reader import read_routing
from tests.unit.gateway.certificates import SelfSigned
from tests.unit.gateway.support import TEMPLATE, Bench

SECURE = (
    TEMPLATE.replace(
        "Port: 8080\n      DefaultActions:\n        - {Type: forward, TargetGroupArn: !Ref Web}",
        """Port: 80
      DefaultActions:
        - Type: redirect
          RedirectConfig: {Protocol: HTTPS, Port: '443', StatusCode: HTTP_301}
  Secure:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: HTTPS
      Port: 443
      SslPolicy: POLICY
      Certificates: [{CertificateArn: 'arn:aws:acm:x:0:certificate/1'}]
      DefaultActions:
        - {Type: forward, TargetGroupArn: !Ref Web}""",
    )
    .replace(
        "Type: AWS::ElasticLoadBalancingV2::LoadBalancer\n",
        """Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      LoadBalancerAttributes:
        - {Key: routing.http.x_amzn_tls_version_and_cipher_suite.enabled, Value: 'true'}
""",
    )
    .replace("POLICY", "ELBSecurityPolicy-TLS13-1-2-2021-06")
)
ARN = "arn:aws:acm:x:0:certificate/1"


async def secure_gateway(
    bench: Bench,
    certificate: SelfSigned,
    *,
    text: str = SECURE,
    log: AccessLog | None = None,
    timeouts: Timeouts | None = None,
) -> Gateway:
    target = await bench.target()
    gateway = await start_gateway(
        read_routing(text, {}, "t.yml"),
        {"Web": [target.url]},
        port=0,
        certificates={ARN: certificate.files},
        timeouts=timeouts or Timeouts(tick=0.02),
        random=Random(1),
        access_log=log,
    )
    bench.keep(gateway)
    await gateway.first_checks()
    return gateway
