"""What prevents AWS from deleting a stack's resources."""

from collections.abc import Iterator

from deploy.aws import Aws


def of_network(aws: Aws, vpc: str) -> Iterator[str]:
    """The resources in the network, a line each: EC2 deletes only an empty network. GuardDuty, for
    example, puts an endpoint into each network in which it watches instances
    (https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-agent-resource-clean-up.html)."""
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    for page in aws.ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=here):  # type: ignore[arg-type] # a list of filters
        for endpoint in page["VpcEndpoints"]:
            name = endpoint.get("VpcEndpointId", "")
            service = endpoint.get("ServiceName", "")
            hint = ""
            if "guardduty" in service:
                hint = f" (GuardDuty's: aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {name})"
            yield f"the endpoint {name} of {service}{hint}"
    for interfaces in aws.ec2.get_paginator("describe_network_interfaces").paginate(Filters=here):  # type: ignore[arg-type] # likewise
        for interface in interfaces["NetworkInterfaces"]:
            name = interface.get("NetworkInterfaceId", "")
            yield f"the network interface {name} ({interface.get('Description') or 'unnamed'})"
    for groups in aws.ec2.get_paginator("describe_security_groups").paginate(Filters=here):  # type: ignore[arg-type] # likewise
        for group in groups["SecurityGroups"]:
            if group.get("GroupName") != "default":
                name = group.get("GroupId", "")
                yield f"the security group {name} ({group.get('GroupName', '')})"
