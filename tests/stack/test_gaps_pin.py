"""The pin: our mends wrap private functions of one release; a move of any of them is noticed here.

When one of these fails after an upgrade, read the function again, see whether its mend still fits
or has become needless, and only then write the new digest down.
"""

import ast
import hashlib
import re
import tomllib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.local.fidelity import upstream
from infra.local.process import REPOSITORY

# Digest of each wrapped function's text in ministack 1.5.33.
WRAPPED: dict[tuple[str, str], str] = {
    ("app", "_enforce_execute_api"): "205727356632bb01",
    ("cognito", "_apply_pretoken_trigger"): "e5819f6bc73d2309",
    ("cognito", "_auth_flow_error"): "31b505eb56eb30ab",
    ("cognito", "_create_group"): "f439a0cb49c9980c",
    ("cognito", "_create_user_pool_client"): "305b7a62590c22b1",
    ("cognito", "_dispatch_idp"): "7168005fce665200",
    ("cognito", "_extract_trigger_response"): "ca50ccac94438239",
    ("cognito", "_fake_token"): "e868917b0acab6db",
    ("cognito", "_get_credentials_for_identity"): "bcc525f5a0fcf1a1",
    ("cognito", "_get_id"): "5109c0bb00ffe458",
    ("cognito", "_get_open_id_token"): "0e1d7364fb517d40",
    ("cognito", "_get_tokens_from_refresh_token"): "fc4672f24721cc79",
    ("cognito", "_oauth2_token"): "3f308d8d250054af",
    ("cognito", "_revoke_token"): "964d5058efc717a6",
    ("cognito", "_update_user_pool_client"): "69f970a683844dba",
    ("cognito", "well_known_openid_configuration"): "d3cddf63567ac4a1",
    ("lambda_svc", "_execute_function_warm"): "52733a30858a5a44",
}

_FILES = {
    "app": "app.py",
    "cognito": "services/cognito.py",
    "sts": "services/sts.py",
    "iam": "services/iam.py",
    "evaluator": "core/iam_evaluator.py",
    "apigateway": "services/apigateway.py",
    "lambda_runtime": "core/lambda_runtime.py",
    "lambda_svc": "services/lambda_svc.py",
}
_REPLACED = re.compile(r'replace\(\s*(?:upstream\.)?(\w+), "(\w+)"')
_USED = re.compile(
    r"\b(app|cognito|sts|iam|evaluator|apigateway|lambda_runtime|lambda_svc)\.(_?[A-Za-z]\w*)"
)


@cache
def source_of(module: str) -> str:
    """Return the text of one of ministack's modules."""
    spec = find_spec("ministack")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / _FILES[module]).read_text(encoding="utf-8")


@cache
def definitions(module: str) -> dict[str, ast.stmt]:
    """Return the module's top-level definitions by name, read and not imported."""
    source = source_of(module)
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update({t.id: node for t in targets if isinstance(t, ast.Name)})
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.asname or alias.name: node for alias in node.names})
    return found


def our_sources() -> str:
    """Return the text of everything of ours that reaches into ministack."""
    folders = (REPOSITORY / "infra/local/fidelity", REPOSITORY / "infra/local/managed_login")
    return "\n".join(path.read_text() for folder in folders for path in folder.glob("*.py"))


def digest(module: str, name: str) -> str:
    """Return the digest of a definition's text."""
    text = ast.get_source_segment(source_of(module), definitions(module)[name])
    assert text is not None
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_installed_release_is_the_pinned_one() -> None:
    """The mends refuse any other release, and none is refused here."""
    assert upstream.problem() is None


def test_the_project_pins_the_same_release() -> None:
    """pyproject.toml and the mends name one version."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = project["project"]["optional-dependencies"]["dev"]
    assert f"ministack=={upstream.PINNED_VERSION}" in wanted


def test_every_wrapped_function_is_listed() -> None:
    """The table knows each function that a mend replaces, and no other."""
    assert set(_REPLACED.findall(our_sources())) == set(WRAPPED)


@pytest.mark.parametrize(("module", "name"), sorted(WRAPPED))
def test_wrapped_function_is_unchanged(module: str, name: str) -> None:
    """A wrapped function is, to the letter, the one that was read when the mend was written."""
    assert digest(module, name) == WRAPPED[module, name]


def test_every_name_that_is_used_exists() -> None:
    """What the mends and pages reach for stands in the pinned modules."""
    used = {pair for pair in _USED.findall(our_sources()) if pair[1].startswith("_")}
    assert len(used) > 20
    assert [pair for pair in used if pair[1] not in definitions(pair[0])] == []
