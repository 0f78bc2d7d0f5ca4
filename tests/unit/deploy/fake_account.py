"""A small fake of an AWS account, for `destroy` and `leftovers`: its resources, their owners, and
the changes to them. CloudFormation deletes what its stacks have created, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.unit.deploy.fakes import Pages, refusal

Tags = dict[str, str]

SERVICES = (
    "tagging", "ec2", "cloudformation", "autoscaling", "iam", "elb", "logs", "ecs", "rds",
    "secrets", "dynamodb", "route53", "ecr", "cloudwatch", "s3",
)  # fmt: skip


@dataclass
class Thing:
    """A resource: its CloudFormation type, its name, its tags, and the stack that created it, if
    any."""

    kind: str
    name: str
    tags: Tags = field(default_factory=dict)
    stack: str | None = None
    content: int = 0
    of: str = ""


def _pairs(tags: Tags) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _small_pairs(tags: Tags) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


class FakeAccount:
    """Has the same attributes as `deploy.aws.Aws`. `touched` has each resource that was deleted or
    emptied."""

    region = "eu-west-1"

    def __init__(self, *things: Thing) -> None:
        self.things = list(things)
        self.stacks: dict[str, Tags] = {}
        self.touched: list[Thing] = []
        # This object is the client of each service.
        for name in SERVICES:
            setattr(self, name, self)
        self.exceptions = SimpleNamespace(RepositoryNotFoundException=KeyError)

    def make(self, stack: str, tags: Tags, *things: Thing) -> None:
        """Let a stack create resources, which get its tags and CloudFormation's."""
        self.stacks[stack] = tags
        for thing in things:
            thing.stack = stack
            thing.tags = {**tags, "aws:cloudformation:stack-name": stack, **thing.tags}
            self.things.append(thing)

    def all(self, kind: str) -> list[Thing]:
        """The resources of a kind."""
        return [thing for thing in self.things if thing.kind == kind]

    def one(self, kind: str, name: str) -> Thing:
        """The resource of this kind and name."""
        for thing in self.all(kind):
            if thing.name == name:
                return thing
        raise KeyError(name)

    def delete(self, kind: str, name: str) -> None:
        """Delete a resource, for every call that deletes."""
        thing = self.one(kind, name)
        self.things.remove(thing)
        self.touched.append(thing)

    # Stacks.

    def describe_stacks(self, **request: str) -> Any:
        name = request["StackName"]
        if name not in self.stacks:
            raise refusal("ValidationError", f"Stack with id {name} does not exist")
        found = {"StackId": name, "StackName": name, "StackStatus": "CREATE_COMPLETE"}
        outputs = []
        if name.endswith("-cluster"):
            outputs = [
                {"OutputKey": "Cluster", "OutputValue": "board"},
                {"OutputKey": "AutoScalingGroup", "OutputValue": f"{name}-group"},
            ]
        return {"Stacks": [{**found, "Tags": _pairs(self.stacks[name]), "Outputs": outputs}]}

    def delete_stack(self, **request: str) -> None:
        name = request["StackName"]
        for thing in [one for one in self.things if one.stack == name]:
            if thing.kind in ("AWS::S3::Bucket", "AWS::ECR::Repository") and thing.content:
                raise AssertionError(f"{thing.name} is not empty")
            self.things.remove(thing)
            self.touched.append(thing)
            if thing.kind in ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance"):
                snapshot = thing.kind.replace("DBCluster", "DBClusterSnapshot").replace(
                    "DBInstance", "DBSnapshot"
                )
                tags = {"Project": thing.tags["Project"]}
                self.things.append(Thing(snapshot, f"{name}-snapshot-{thing.name}", tags,
                                         of=thing.name))  # fmt: skip
        del self.stacks[name]

    # Calls that change resources.

    def update_auto_scaling_group(self, **request: Any) -> None:
        self.touched.append(self.one("AWS::AutoScaling::AutoScalingGroup",
                                     request["AutoScalingGroupName"]))  # fmt: skip

    def batch_delete_image(self, **request: Any) -> None:
        thing = self.one("AWS::ECR::Repository", request["repositoryName"])
        thing.content = 0
        self.touched.append(thing)

    def delete_objects(self, **request: Any) -> None:
        thing = self.one("AWS::S3::Bucket", request["Bucket"])
        thing.content = 0
        self.touched.append(thing)

    def deregister_task_definition(self, **request: str) -> None:
        self.touched.append(self.one("AWS::ECS::TaskDefinition", request["taskDefinition"]))

    def delete_task_definitions(self, **request: Any) -> None:
        for arn in request["taskDefinitions"]:
            self.delete("AWS::ECS::TaskDefinition", arn)

    def delete_db_cluster_snapshot(self, **request: str) -> None:
        self.delete("AWS::RDS::DBClusterSnapshot", request["DBClusterSnapshotIdentifier"])

    def delete_db_snapshot(self, **request: str) -> None:
        self.delete("AWS::RDS::DBSnapshot", request["DBSnapshotIdentifier"])

    # Calls that return resources.

    def describe_auto_scaling_groups(self, **_: Any) -> Any:
        return {"AutoScalingGroups": []}

    def list_container_instances(self, **_: Any) -> Any:
        raise refusal("ClusterNotFoundException", "Cluster not found.")

    def describe_tags(self, **request: Any) -> Any:
        arn = request["ResourceArns"][0]
        [thing] = [one for one in self.things if one.name == arn]
        return {"TagDescriptions": [{"Tags": _pairs(thing.tags)}]}

    def describe_task_definition(self, **request: Any) -> Any:
        thing = self.one("AWS::ECS::TaskDefinition", request["taskDefinition"])
        return {"tags": _small_pairs(thing.tags), "taskDefinition": {"status": "ACTIVE"}}

    def list_buckets(self) -> Any:
        return {"Buckets": [{"Name": one.name} for one in self.all("AWS::S3::Bucket")]}

    def get_paginator(self, call: str) -> Any:
        answer: Callable[..., Any] = getattr(self, f"_{call}", lambda **_: {})
        return SimpleNamespace(paginate=lambda **request: Pages(answer(**request)).paginate())

    def _describe_stack_events(self, **_: Any) -> Any:
        return {"StackEvents": []}

    def _list_stacks(self, **_: Any) -> Any:
        found = [{"StackName": name, "StackStatus": "CREATE_COMPLETE"} for name in self.stacks]
        return {"StackSummaries": found}

    def _list_stack_resources(self, **request: str) -> Any:
        return {
            "StackResourceSummaries": [
                {"ResourceType": one.kind, "PhysicalResourceId": one.name}
                for one in self.things
                if one.stack == request["StackName"]
            ]
        }

    def _get_resources(self, **_: Any) -> Any:
        # ARNs of a service that these tests do not ask, so the tagging API's answer counts.
        found = [
            {"ResourceARN": f"arn:aws:tagged:::{one.kind}/{one.name}", "Tags": _pairs(one.tags)}
            for one in self.things
            if "Project" in one.tags and not one.kind.startswith("AWS::RDS")
        ]
        return {"ResourceTagMappingList": found}

    def _describe_tags(self, **_: Any) -> Any:
        return {"Tags": []}

    def _describe_auto_scaling_groups(self, **_: Any) -> Any:
        return {
            "AutoScalingGroups": [
                {"AutoScalingGroupName": one.name, "Tags": _pairs(one.tags)}
                for one in self.all("AWS::AutoScaling::AutoScalingGroup")
            ]
        }

    def _list_roles(self, **_: Any) -> Any:
        return {"Roles": [{"RoleName": one.name} for one in self.all("AWS::IAM::Role")]}

    def _list_instance_profiles(self, **_: Any) -> Any:
        names = [one.name for one in self.all("AWS::IAM::InstanceProfile")]
        return {"InstanceProfiles": [{"InstanceProfileName": name} for name in names]}

    def _describe_load_balancers(self, **_: Any) -> Any:
        kind = "AWS::ElasticLoadBalancingV2::LoadBalancer"
        found = [
            {"LoadBalancerName": one.name, "LoadBalancerArn": one.name} for one in self.all(kind)
        ]
        return {"LoadBalancers": found}

    def _describe_target_groups(self, **_: Any) -> Any:
        kind = "AWS::ElasticLoadBalancingV2::TargetGroup"
        found = [
            {"TargetGroupName": one.name, "TargetGroupArn": one.name} for one in self.all(kind)
        ]
        return {"TargetGroups": found}

    def _describe_log_groups(self, **request: str) -> Any:
        prefix = request["logGroupNamePrefix"]
        names = [one.name for one in self.all("AWS::Logs::LogGroup")]
        return {"logGroups": [{"logGroupName": n} for n in names if n.startswith(prefix)]}

    def _list_task_definition_families(self, **request: str) -> Any:
        found = {one.of for one in self.all("AWS::ECS::TaskDefinition")}
        prefix = request["familyPrefix"]
        return {"families": sorted(family for family in found if family.startswith(prefix))}

    def _list_task_definitions(self, **request: str) -> Any:
        arns = [
            one.name
            for one in self.all("AWS::ECS::TaskDefinition")
            # Like ECS, filter by prefix.
            if one.of.startswith(request["familyPrefix"]) and request["status"] == "ACTIVE"
        ]
        return {"taskDefinitionArns": arns}

    def _snapshots(self, kind: str, of: str, request: dict[str, str]) -> Iterator[Any]:
        wanted = request.get(of)
        for one in self.all(f"AWS::RDS::{kind}"):
            if wanted in (None, one.of):
                yield {f"{kind}Identifier": one.name, of: one.of, "TagList": _pairs(one.tags)}

    def _describe_db_cluster_snapshots(self, **request: str) -> Any:
        found = self._snapshots("DBClusterSnapshot", "DBClusterIdentifier", request)
        return {"DBClusterSnapshots": list(found)}

    def _describe_db_snapshots(self, **request: str) -> Any:
        found = self._snapshots("DBSnapshot", "DBInstanceIdentifier", request)
        return {"DBSnapshots": list(found)}

    def _databases(self, kind: str) -> Any:
        return [
            {f"{kind}Identifier": one.name, "TagList": _pairs(one.tags)}
            for one in self.all(f"AWS::RDS::{kind}")
        ]

    def _describe_db_clusters(self, **_: str) -> Any:
        return {"DBClusters": self._databases("DBCluster")}

    def _describe_db_instances(self, **_: str) -> Any:
        return {"DBInstances": self._databases("DBInstance")}

    def _list_secrets(self, **_: Any) -> Any:
        return {
            "SecretList": [{"Name": one.name} for one in self.all("AWS::SecretsManager::Secret")]
        }

    def _list_tables(self, **_: Any) -> Any:
        return {"TableNames": [one.name for one in self.all("AWS::DynamoDB::Table")]}

    def _list_hosted_zones(self, **_: Any) -> Any:
        return {"HostedZones": [{"Name": one.name} for one in self.all("AWS::Route53::HostedZone")]}

    def _describe_repositories(self, **_: Any) -> Any:
        names = [one.name for one in self.all("AWS::ECR::Repository")]
        return {"repositories": [{"repositoryName": name} for name in names]}

    def _list_images(self, **request: str) -> Any:
        content = self.one("AWS::ECR::Repository", request["repositoryName"]).content
        return {"imageIds": [{"imageDigest": f"sha256:{number}"} for number in range(content)]}

    def _list_objects_v2(self, **request: str) -> Any:
        content = self.one("AWS::S3::Bucket", request["Bucket"]).content
        return {"Contents": [{"Key": str(number)} for number in range(content)]}

    def _list_dashboards(self, **_: Any) -> Any:
        names = [one.name for one in self.all("AWS::CloudWatch::Dashboard")]
        return {"DashboardEntries": [{"DashboardName": name} for name in names]}
