"""The session table, for an application that keeps its sessions in DynamoDB."""

from typing import Any

from infra.table_facts import SessionTable


def session_table(client: Any, name: str, facts: SessionTable, *, expiry: bool = True) -> None:
    """Make the table where it is missing; `client` is boto3's `dynamodb`.

    Without `expiry` nothing is ever removed from it, which tests with clocks of their own need.
    """
    keys = {facts.partition_key: "HASH", facts.sort_key: "RANGE"}
    try:
        client.create_table(
            TableName=name,
            BillingMode=facts.billing,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "B"} for key in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        )
    except client.exceptions.ResourceInUseException:
        return
    if expiry:
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": facts.ttl},
        )
