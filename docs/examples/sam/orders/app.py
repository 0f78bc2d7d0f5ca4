"""The function of template.yaml: answers with the number of an order."""


def handler(event: dict[str, object], _context: object) -> dict[str, object]:
    """Returns the answer that a load balancer takes from a function."""
    number = str(event["path"]).rpartition("/")[2]
    return {
        "statusCode": 200,
        "multiValueHeaders": {"Content-Type": ["text/plain"]},
        "body": f"order {number}",
    }
