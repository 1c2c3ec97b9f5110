"""Terraform's stack on a fresh offline AWS: complete, stable, usable, and gone when destroyed."""

import re
import secrets
from pathlib import Path

import requests

from infra.facts import Stack
from infra.local.provision import provision
from tests.stack.api_callers import Callers
from tests.stack.offline import OfflineAws
from tests.stack.test_api_access import PATHS, PEOPLE
from tests.stack.world import Offline
from tests.terraform.application import call, running, sign_in
from tests.terraform.conftest import Applied
from tests.terraform.describe import describe, differences
from tests.terraform.program import NO_CHANGES
from webapp.settings import Settings

# What may differ between the two engines' stacks, each with its reason.
ACCEPTED = {
    r"/(UserPoolTags|IdentityPoolTags|Tags)$": "only an AWS account needs to be told apart by tags",
    r"^/(roles/[^/]+|api/api)/Description$": "for people who look into the account",
    r"/AccessLogSettings$": "offline nobody would read them",
    r"/DetailedMetricsEnabled$": "the provider sends the default, false",
    r"/PasswordPolicy/PasswordHistorySize$": "the provider sends the default, 0",
    r"^/tables/portico-(permissions|users)/backups/": "offline there is no past to go back to",
    r"^/user_pool/AdminCreateUserConfig$": "the provider leaves out what is the default, false",
    r"^/roles/portico-[a-z-]+-function/(attached|inline$|inline/logs)": (
        "on AWS a function may write to its own log group only; offline it has none, and takes "
        "the policy that AWS offers for all"
    ),
}


def test_a_second_plan_is_empty(applied: Applied) -> None:
    """What was made is what was asked for: nothing drifts."""
    plan = applied.terraform.run(
        "plan", "-detailed-exitcode", *applied.options, expect=(NO_CHANGES, 1, 2)
    )
    assert plan.returncode == NO_CHANGES, plan.stdout


def test_the_outputs_are_the_applications_settings(applied: Applied) -> None:
    """The application starts with the outputs and a key of its own, and nothing else."""
    settings = Settings.load({**applied.settings, "SECRET_KEY": secrets.token_urlsafe(48)})
    assert settings.app_base_url == applied.settings["APP_BASE_URL"]
    assert settings.issuer.endswith(applied.pool_id)
    assert settings.cognito_client_secret


def test_both_engines_make_the_same_stack(
    applied: Applied, fresh_aws: Offline, stack: Stack
) -> None:
    """Seen from outside, Terraform's stack is the offline provisioner's, but for the list above."""
    made = provision(fresh_aws.endpoint, stack, applied.settings["APP_BASE_URL"])
    ours = describe(applied.aws, stack, applied.settings)
    theirs = describe(fresh_aws, stack, made.environment())
    assert len(ours["functions"]) == len(stack.functions)  # not two empty descriptions
    found = list(differences(ours, theirs))
    unexpected = [
        difference
        for difference in found
        if not any(re.search(pattern, difference[0]) for pattern in ACCEPTED)
    ]
    assert not unexpected, "\n".join(f"{path}: {a!r} != {b!r}" for path, a, b in unexpected)
    stale = [
        pattern for pattern in ACCEPTED if not any(re.search(pattern, path) for path, *_ in found)
    ]
    assert not stale, f"no longer differ: {stale}"


def test_everybody_reaches_what_the_role_allows(offline: OfflineAws) -> None:
    """The access table of the demo holds over Terraform's stack, the guest's row included."""
    callers = Callers(offline)
    for email in PEOPLE:
        got = tuple(callers.signed(path, email, token_of=email).status_code for path in PATHS)
        assert got == PEOPLE[email], email
    documents = {"manager@example.com": 200, "nobody@example.com": 403}
    for email, status in documents.items():
        answer = callers.signed("/documents/handbook", email, token_of=email)
        assert answer.status_code == status, answer.text
    guest = tuple(callers.signed(path, None).status_code for path in PATHS)
    assert guest == (200, 200, 403, 403, 403, 401, 403)


def test_the_application_runs_on_the_outputs_alone(
    applied: Applied, offline: OfflineAws, tmp_path: Path
) -> None:
    """Sign-in, role by group, a signed call and the sessions table: all of it is Terraform's."""
    sessions = applied.aws.client("dynamodb")
    name = applied.session_store_url.removeprefix("dynamodb://")
    with running(applied, tmp_path) as origin, requests.Session() as browser:
        sign_in(browser, origin, offline.demo_user("admin@example.com"))
        me = browser.get(f"{origin}/me", timeout=20).json()
        assert me["groups"] == ["Admin"]
        assert me["role"].endswith(":role/portico-admin")
        assert call(browser, origin, "vip") == 200
    assert sessions.scan(TableName=name, Select="COUNT")["Count"] > 0


def test_destroy_leaves_nothing(applied: Applied) -> None:
    """After a destroy the account is as empty as before; this runs last, on the same stack."""
    applied.terraform.run(
        "destroy", "-auto-approve", "-refresh=false", "-parallelism=20", *applied.options
    )
    client = applied.aws.client
    left = {
        "pools": client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"],
        "identity pools": client("cognito-identity").list_identity_pools(MaxResults=60)[
            "IdentityPools"
        ],
        "roles": client("iam").list_roles(MaxItems=500)["Roles"],
        "functions": client("lambda").list_functions()["Functions"],
        "apis": client("apigatewayv2").get_apis()["Items"],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "logs": client("logs").describe_log_groups()["logGroups"],
    }
    assert not {kind: found for kind, found in left.items() if found}
