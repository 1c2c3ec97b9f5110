"""The house as data: who may import whom, which library lives where, how large a thing may be.

Change a row here when a better wall is found, and say why in the commit. A name stands for itself
and everything below it. The longest name that fits a module is its row.
"""

from collections.abc import Mapping

Table = Mapping[str, tuple[str, ...]]


def _under(top: str, rows: Table) -> dict[str, tuple[str, ...]]:
    return {f"{top}.{name}": tuple(f"{top}.{t}" for t in to) for name, to in rows.items()}


# A row for a room (one name below the top) lets its modules import each other. A row for a single
# module inside a room is strict: it gets what it lists, and nothing else of its own room.
WEBAPP: Table = {
    # Facts and small tools of the trade: they know nobody.
    "addresses": (),
    "server": (),
    "breaker": ("errors",),  # its own error is one of the family
    "budget": (),
    "deadlines": (),
    "dialling": (),
    "errors": (),
    "keyring": (),
    "records": (),
    "words": (),
    "tour": ("words",),
    "caretaker": ("errors",),
    "flow": ("records",),  # steps as lines of a record, for whoever notes or shows them
    # Rooms that talk to one thing outside.
    "settings": ("addresses", "errors", "records"),  # what may be shown of a setting is a fact
    "attempts": ("keyring", "records"),
    "clients": ("keyring",),
    "cookies": (),
    "trail": ("records",),
    "outbound": ("breaker", "budget", "deadlines", "dialling", "errors"),
    "refusals": ("keyring",),
    "store.base": ("errors", "records"),
    "store.dynamodb": (
        "budget", "deadlines", "errors", "outbound", "store.base", "store.dynamodb",
    ),
    "store.redis": (
        "breaker", "deadlines", "dialling", "errors", "store.base", "store.redis",
    ),
    "store": ("breaker", "budget", "deadlines", "errors", "keyring", "records"),
    "managed_login": ("addresses", "budget", "deadlines", "errors", "outbound", "records"),
    "credentials.wallet": (
        "credentials", "errors", "flow", "records", "store.turns", "store.vault",
    ),  # keys are kept in the sealed record and renewed by one worker at a time
    "credentials": ("deadlines", "errors", "flow", "outbound", "records", "words"),
    "api": ("addresses", "deadlines", "errors", "outbound", "records", "words"),
    # The journey joins rooms and knows no Flask.
    "signin": (
        "addresses", "attempts", "budget", "credentials", "deadlines", "errors", "flow", "keyring",
        "managed_login", "records", "refusals", "store.base", "store.labels", "store.shelf",
        "store.turns", "store.vault", "words",
    ),
    # A call of the API needs keys and tokens of the session: these two join the rooms for it, so
    # that pages, matrix and command line make the same call.
    "signin.calling": (
        "api", "credentials", "errors", "records", "signin.claims", "store.vault",
    ),
    "signin.matrix": (
        "api", "budget", "errors", "records", "signin.calling", "store.vault",
    ),
    # Flask's side: from the cookie to the page. Pages get the opened session from `sessions`.
    "observe": ("errors", "keyring", "records"),
    "security": ("addresses", "errors", "keyring", "records"),
    "sessions": (
        "addresses", "attempts", "clients", "cookies", "elsewhere", "errors", "keyring", "observe",
        "records", "refusals", "store.base", "store.sealing", "store.vault", "trail",
    ),  # both cookies are written in one place
    "elsewhere": ("clients", "observe", "store.vault"),
    # The guard hands over a person whose tokens live, so it asks the journey to keep them fresh.
    "guard": ("addresses", "errors", "records", "sessions", "signin.freshness"),
    "views.error_pages": (
        "errors", "observe", "records", "security", "sessions", "views.page", "views.problems",
        "words",
    ),
    "views.health": ("errors", "records"),
    "views": (
        "addresses", "api", "credentials", "doctor", "errors", "flow", "guard", "observe",
        "records", "security", "sessions", "signin", "store.roster", "tour", "trail", "words",
    ),
    # Where everything is joined.
    "services": (
        "breaker", "deadlines",
        "addresses", "api", "attempts", "caretaker", "clients", "credentials", "doctor", "errors",
        "guard",
        "keyring", "managed_login", "observe",
        "outbound", "records", "refusals", "security", "sessions", "settings", "signin", "store",
    ),
    "bare": ("views.templates",),
    "app": (
        "bare", "blueprints", "budget", "deadlines", "server",
        "cli", "errors", "guard", "observe", "records", "security", "services",
        "sessions", "settings", "views",
    ),
    # The application's other half: which page reads from which room.
    "blueprints": (
        "doctor.rounds", "guard", "observe", "security", "services", "sessions", "settings",
        "views",
    ),
    # Its commands are handed a house: settings and rooms, made when first asked for. A command
    # signs people in beside the browser's way, and asks AWS as the operator.
    "cli": (
        "addresses", "api", "credentials", "deadlines", "doctor", "errors", "managed_login",
        "observe", "outbound", "records", "services", "settings", "signin.calling", "signin.matrix",
        "store", "views.body", "words",
    ),
    # Holds the settings against what AWS says is there; it changes nothing.
    "doctor": ("budget", "deadlines", "errors", "outbound", "words"),
}  # fmt: skip

INFRA: Table = {
    "bundle": (),  # the standard library alone: who runs Terraform has nothing else
    "fact_kinds": (),
    "demo_facts": ("fact_kinds",),
    "function_facts": ("fact_kinds",),
    "table_facts": ("fact_kinds",),
    "facts": ("demo_facts", "fact_kinds", "function_facts", "table_facts"),
    "stack_rules": ("demo_facts", "facts", "function_facts"),
    "stack": ("demo_facts", "facts", "stack_rules"),
    # A Lambda is packed alone: it can import nothing that is not in its own folder.
    "functions.api": ("functions.api",),
    "functions.triggers": ("functions.triggers",),
    # The offline AWS starts the application as a program; it never imports it.
    "local": (
        "bundle",
        "demo_facts",
        "facts",
        "function_facts",
        "stack",
        "stack_rules",
        "table_facts",
    ),
    "container.doors": (),
    "container.worker": (),
    "container.healthcheck": (),
    "container.image": ("container.healthcheck", "container.workshop"),
    "container.workshop": (),
}

ARROWS: Table = {
    "wsgi": ("webapp.app", "webapp.errors"),  # an error of the settings is told, not raised
    **_under("webapp", WEBAPP),
    **_under("infra", INFRA),
    # It refuses timeouts of the server that do not agree with the deadlines inside.
    "infra.container.gunicorn.conf": (
        "infra.container.doors",
        "infra.container.worker",
        "webapp.deadlines",
    ),
}

_FLASK = (
    "webapp.app", "webapp.bare", "webapp.blueprints", "webapp.sessions", "webapp.guard",
    "webapp.security",
    "webapp.observe", "webapp.cli", "webapp.views",
)  # fmt: skip
_BOTOCORE_ERRORS = (
    "webapp.services", "webapp.credentials", "webapp.doctor", "webapp.managed_login.client",
    "webapp.store.dynamodb", "webapp.cli", "infra",
)  # fmt: skip

# Every library from outside, and those parts of the standard library that have one room. What is
# not listed here may be imported nowhere.
LIBRARIES: Table = {
    "authlib": ("webapp.managed_login",),
    "boto3": ("webapp.services", "webapp.cli", "infra.functions", "infra.local"),
    "botocore": ("webapp.services", "infra.functions", "infra.local"),
    "botocore.awsrequest": ("webapp.credentials",),  # its requests go out through our own way
    "botocore.exceptions": _BOTOCORE_ERRORS,  # translated at the room's border
    "certifi": ("webapp.outbound",),
    "click": ("webapp.cli",),
    "cryptography": ("webapp.keyring", "webapp.store.sealing", "infra.local", "infra.functions"),
    "dotenv": ("webapp.settings",),
    "flask": _FLASK,
    "flask_limiter": ("webapp.app", "webapp.security"),
    "gunicorn": ("infra.container",),
    "hypercorn": ("infra.local",),  # the server that the offline AWS runs on
    "jinja2": ("webapp.app", "webapp.views", "infra.local"),
    "joserfc": ("webapp.managed_login", "infra.functions", "infra.local"),
    "markupsafe": ("webapp.views.templates",),  # nothing marks a string as safe; templates escape
    "ministack": ("infra.local",),
    "prometheus_client": ("webapp.observe",),
    "pydantic": (
        "webapp.settings",
        "infra.demo_facts",
        "infra.fact_kinds",
        "infra.facts",
        "infra.function_facts",
        "infra.stack",
        "infra.table_facts",
    ),
    "redis": ("webapp.store.redis",),
    "requests": ("webapp.outbound", "webapp.managed_login", "webapp.api"),
    "requests_aws4auth": ("webapp.api",),
    "sqlite3": ("webapp.store.sqlite", "webapp.store.sqlite_file", "webapp.store.sqlite_place"),
    "structlog": ("webapp.observe",),
    "subprocess": ("infra.local", "infra.container.workshop"),
    "urllib.request": ("infra.functions", "infra.local"),  # follows redirects, obeys http_proxy
    "urllib3": ("webapp.outbound", "webapp.managed_login", "webapp.api"),
    "werkzeug": _FLASK,
    "yaml": ("infra.stack", "infra.local"),
}

# Settings is unpacked in one place; these may see it.
MAY_SEE_SETTINGS = (
    "webapp.settings", "webapp.services", "webapp.app", "webapp.blueprints", "webapp.cli",
)  # fmt: skip

FORBIDDEN_NAMES = ("utils", "util", "helpers", "helper", "common", "core", "manager", "misc")

# Lines: what fails, and what the house wishes for (`python -m tests.architecture` lists those).
MODULE_LIMIT, MODULE_WISH = 250, 200
FUNCTION_LIMIT, FUNCTION_WISH = 60, 35
FACTORY_LIMIT, FACTORY_WISH = 150, 120  # make_blueprint holds its views
TEST_MODULE_LIMIT = 400

# Imports inside a function, each with its reason: module and imported name.
LATE_IMPORTS: Mapping[tuple[str, str], str] = {}

# Forbidden constructs that stand, each with its reason: module and construct.
EXCUSED: Mapping[tuple[str, str], str] = {
    ("webapp.services.stores", "calls importlib.import_module"): (
        "a store that nobody chose costs no start and no memory"
    ),
    ("webapp.cli.by_srp", "calls importlib.import_module"): (
        "an extra that may be missing, and that no other command needs"
    ),
    ("webapp.cli.commands", "calls importlib.import_module"): (
        "a server runs no command, and shall not carry them"
    ),
    ("webapp.views.templates", "imports markupsafe.Markup"): (
        "it tells what a component made from what is still to be escaped, and makes none"
    ),
    ("infra.local.fidelity.upstream", "calls importlib.import_module"): (
        "the one typed door to the pinned package, which reads the environment when imported"
    ),
    ("infra.local.managed_login.app", "calls importlib.import_module"): (
        "the pinned package reads the environment when imported"
    ),
    ("infra.stack", "calls yaml.load"): "with a SafeLoader that also refuses a repeated key",
}

# Modules that are longer than the limit for now: name, and the reason.
OVERSIZE: Mapping[str, str] = {}
