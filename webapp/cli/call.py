"""`call`: one endpoint of the API as anybody, and what came back and why."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Unpack

import click

from webapp.api.catalogue import Endpoint, endpoint_named
from webapp.api.explain import explain, outcome_of
from webapp.cli.answers import Told, body_of, content_of, text_of
from webapp.cli.callers import AWS, Wish, complete_callers, operator_keys
from webapp.cli.completion import complete_endpoints, complete_parameters
from webapp.cli.house import House
from webapp.cli.outcome import Outcome, ToldCommand
from webapp.cli.output import as_json, ask, tell, without_asking
from webapp.cli.sign_in import Way, sign_in_options, signed_in, wants_somebody
from webapp.cli.workshop import workshop
from webapp.errors import BadInput
from webapp.services import Services


@click.command("call", cls=ToldCommand, short_help="Call one endpoint as anybody.")
@click.argument("endpoint", shell_complete=complete_endpoints)
@click.option(
    "--as",
    "caller",
    metavar="CALLER",
    shell_complete=complete_callers,
    help="nobody, guest, user, role:NAME, bearer-access, bearer-id, or aws: your own credentials.",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=complete_parameters,
    help="Of the endpoint; repeatable.",
)
@click.option("--profile", help="The AWS profile of --as aws.")
@sign_in_options
@click.option("--fail", is_flag=True, help="Exit status 1 unless the API says yes (2xx).")
@click.option("--body", is_flag=True, help="Print the body alone, into a pipe as it came.")
@click.option("-v", "--verbose", is_flag=True, help="Show the request as sent, and all headers.")
@without_asking
@as_json
@click.pass_obj
def call(
    house: House,
    endpoint: str,
    caller: str | None,
    parameters: tuple[str, ...],
    profile: str | None,
    fail: bool,
    body: bool,
    verbose: bool,
    yes: bool,
    as_json: bool,
    **way: Unpack[Way],
) -> None:
    """Call ENDPOINT of the API and say what came back, whether that was to be expected, and why.

    As nobody, unless --as or --user says otherwise. With --user or --code somebody signs in for
    this call alone. Exit status 0: it came out as expected, a refusal included; 1: it did not.
    """
    one = endpoint_named(endpoint)
    values = one.defaults | _values(one, parameters)
    wish = Wish.read(caller, somebody=wants_somebody(way))
    if profile and wish.name != AWS:
        raise BadInput("--profile goes with --as aws.")
    if one.method == "DELETE":
        ask(f"Call {one.method} {one.address(values)}?", yes)
    with workshop(house) as rooms:
        if wish.name == AWS:
            told = _as_operator(house, rooms, one, values, profile)
        else:
            told = _as_caller(house, rooms, one, values, wish, way)
    if body and sys.stdout.isatty():
        click.echo(body_of(told))
    elif body:
        sys.stdout.buffer.write(told.answer.body)
    else:
        tell(as_json, content_of(told), lambda: text_of(told, verbose=verbose))
    good = told.ok if fail else told.as_expected
    click.get_current_context().exit(Outcome.DONE if good else Outcome.NO)


def _values(endpoint: Endpoint, given: tuple[str, ...]) -> dict[str, str]:
    known = [parameter.name for parameter in endpoint.parameters]
    found = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign or name not in known:
            raise BadInput(
                f"{endpoint.name} takes -p NAME=VALUE, and these: {', '.join(known) or 'none'}."
            )
        found[name] = value
    return found


def _as_caller(
    house: House,
    rooms: Services,
    endpoint: Endpoint,
    values: Mapping[str, str],
    wish: Wish,
    way: Way,
) -> Told:
    endpoint.address(values)  # an odd parameter is told before anybody signs in
    with ExitStack() as until_called:
        session = None
        if wish.wants_person:
            found = until_called.enter_context(signed_in(house, rooms, **way))
            session = rooms.vault.create(found.record(house.now()))
        person = session.record.person if session else None
        caller = wish.caller(person.roles if person else None)
        after, answer = rooms.calling.call(session, endpoint, caller, values, lambda _: None)
    standing = rooms.calling.standing(after.record if after and session else None)
    expected = endpoint.expects(caller, standing, values)
    why = explain(endpoint, outcome_of(endpoint, answer), person)
    return Told(endpoint, answer, expected, why)


def _as_operator(
    house: House,
    rooms: Services,
    endpoint: Endpoint,
    values: Mapping[str, str],
    profile: str | None,
) -> Told:
    keys = operator_keys(house, profile)
    answer = rooms.api.call(
        endpoint, AWS, endpoint.address(values), keys=keys, body=endpoint.body(values)
    )
    who = "You, with a request signed by your own AWS credentials and no ID token."
    what = "IAM, by the policies of these credentials, and then the function behind the route."
    return Told(endpoint, answer, None, (("Who asked", who), ("What decided", what)))
