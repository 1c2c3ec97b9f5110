"""The pinned ministack: is it the right one, and the typed door to its modules.

ministack's modules read the environment while they are imported: call `set_environment` first,
then `load`, and import whatever else imports ministack after that.
"""

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PINNED_VERSION = "1.5.33"
REGION = "us-east-1"
ACCOUNT_ID = "000000000000"

# What the developer's shell may carry and what must never steer the offline AWS.
_FOREIGN_PREFIXES = ("AWS_", "LAMBDA_", "MINISTACK_", "COGNITO_", "LOCALSTACK_")
_FOREIGN_NAMES = ("DOCKER_HOST", "EDGE_PORT", "SERVICES", "USE_SSL", "PERSIST_STATE", "STATE_DIR")


@dataclass(frozen=True)
class Upstream:
    """The modules of ministack that the fidelity layer wraps, and its ASGI application's home."""

    app: ModuleType
    cognito: ModuleType
    sts: ModuleType
    iam: ModuleType
    evaluator: ModuleType
    apigateway: ModuleType
    concurrency: ModuleType
    lambda_runtime: ModuleType
    lambda_svc: ModuleType


def problem() -> str | None:
    """Return one sentence that says why the offline AWS cannot start here, or None."""
    try:
        installed = version("ministack")
    except PackageNotFoundError:
        installed = None
    return problem_with(installed, has_cryptography=find_spec("cryptography") is not None)


def problem_with(installed: str | None, *, has_cryptography: bool) -> str | None:
    """Return the sentence for this installed version (None: not installed), or None if it fits."""
    cure = "run make demo, or pip install -r requirements-dev.txt"
    if installed is None:
        return f"The offline AWS needs ministack {PINNED_VERSION}, which is not installed: {cure}."
    if installed != PINNED_VERSION:
        return f"The offline AWS mends ministack {PINNED_VERSION} and found {installed}: {cure}."
    if not has_cryptography:
        return (
            "The offline AWS needs the package cryptography, or its tokens would carry no real "
            f"signature: {cure}."
        )
    return None


def set_environment(port: int, state_dir: str, *, keep: bool) -> None:
    """Set the process environment that ministack reads at import; forget the developer's own."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_NAMES:
            del os.environ[name]
    os.environ.update(
        {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
            "COGNITO_EMAIL_ENABLED": "true",
            "LAMBDA_EXECUTOR": "local",
            # Lambdas are plain subprocesses here; a daemon on this machine is none of our business.
            "DOCKER_HOST": "unix:///nonexistent/portico-uses-no-docker.sock",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            # Signing keys live here even without persistence.
            "STATE_DIR": state_dir,
            "PERSIST_STATE": "1" if keep else "0",
        }
    )


def load() -> Upstream:
    """Import ministack's modules. Call `problem` and `set_environment` before."""
    names = {
        "app": "ministack.app",
        "cognito": "ministack.services.cognito",
        "sts": "ministack.services.sts",
        "iam": "ministack.services.iam",
        "evaluator": "ministack.core.iam_evaluator",
        "apigateway": "ministack.services.apigateway",
        "concurrency": "ministack.core.concurrency",
        "lambda_runtime": "ministack.core.lambda_runtime",
        "lambda_svc": "ministack.services.lambda_svc",
    }
    return Upstream(**{field: importlib.import_module(name) for field, name in names.items()})


def replace(
    module: ModuleType, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Put `make(original)` in the original's place; AttributeError if the pinned name is gone."""
    setattr(module, name, make(getattr(module, name)))
