"""One IAM role, made or brought up to date."""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.provision_clients import Clients

POLICY_VERSION = "2012-10-17"


def role_with_trust(clients: Clients, name: str, trust: Mapping[str, Any]) -> str:
    """Make the role, or give it this trust policy; return its ARN."""
    try:
        role = clients.iam.get_role(RoleName=name)["Role"]
        clients.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    except clients.iam.exceptions.NoSuchEntityException:
        made = clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        role = made["Role"]
    arn: str = role["Arn"]
    return arn
