"""The table of documents and shares, and the documents of the demonstration."""

import time
from collections.abc import Iterator
from typing import Any

from infra.demo_facts import DemoDocument
from infra.facts import Stack
from infra.local.provision_clients import Clients
from infra.table_facts import PermissionsTable

_HOUR = 3600


def permissions_table(client: Any, name: str, facts: PermissionsTable) -> None:
    """Make the table where it is missing; `client` is boto3's `dynamodb`."""
    keys = (facts.partition_key, facts.sort_key)
    try:
        client.create_table(
            TableName=name,
            BillingMode=facts.billing,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=_schema(*keys),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": facts.index,
                    "KeySchema": _schema(*reversed(keys)),
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
    except client.exceptions.ResourceInUseException:
        return
    client.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": facts.ttl}
    )


def demo_documents(clients: Clients, stack: Stack, user_pool_id: str) -> None:
    """Put the demonstration's documents where they are missing; what people wrote stays."""
    table, subs = stack.resource("permissions"), _subs(clients, user_pool_id)
    for document in stack.demo.documents:
        for item in _items(document, subs):
            try:
                clients.tables.put_item(
                    TableName=table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(doc)",
                )
            except clients.tables.exceptions.ConditionalCheckFailedException:
                continue


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


def _subs(clients: Clients, user_pool_id: str) -> dict[str, str]:
    pages = clients.cognito.get_paginator("list_users").paginate(UserPoolId=user_pool_id)
    people = (
        {one["Name"]: one["Value"] for one in user["Attributes"]}
        for page in pages
        for user in page["Users"]
    )
    return {person["email"]: person["sub"] for person in people if "email" in person}


def _items(document: DemoDocument, subs: dict[str, str]) -> Iterator[dict[str, Any]]:
    now = int(time.time())
    resource = {"doc": {"S": f"document#{document.id}"}}
    item = resource | {
        "who": {"S": "document"},
        "owner": {"S": subs[document.owner]},
        "title": {"S": document.title},
        "text": {"S": document.text},
        "version": {"N": "1"},
        "updated_at": {"N": str(now)},
    }
    for name in ("department", "project"):
        if value := getattr(document, name):
            item[name] = {"S": value}
    yield item
    for mail, rights in document.collaborators.items():
        yield resource | _share(subs[mail], "collaborator", rights)
    for grant in document.grants:
        ends = now + grant.hours * _HOUR
        shared = _share(subs[grant.to], "grant", grant.permissions)
        yield resource | shared | {"expires_at": {"N": str(ends)}}


def _share(sub: str, kind: str, rights: tuple[str, ...]) -> dict[str, Any]:
    return {
        "who": {"S": f"person#{sub}"},
        "kind": {"S": kind},
        "permissions": {"SS": list(rights)},
    }
