"""/oauth2/authorize of the offline Managed Login: what it refuses, and when it asks."""

import pytest

from tests.stack.login_site import PASSWORD, Site, callback_of, path_of
from tests.stack.world import CALLBACK, Offline, claims_of


@pytest.fixture
def site(mended_aws: Offline) -> Site:
    """A user pool of this test's own."""
    return Site(mended_aws)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"redirect_uri": None},
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": "https://evil.example/callback"},
    ],
)
def test_unproven_client_or_redirect_uri_is_never_redirected_to(
    site: Site, changed: dict[str, str | None]
) -> None:
    """A request whose client or redirect_uri is not registered ends on a page of ours."""
    answer = site.visitor().ask(**changed)
    assert answer.status == 400
    assert answer.header("Location") is None


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"scope": "openid phone"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "always"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"identity_provider": "Nowhere"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_other_faults_are_answered_to_the_application(
    site: Site, changed: dict[str, str | None], error: str
) -> None:
    """Every other fault goes back to redirect_uri, with error, error_description and the state."""
    answer = callback_of(site.visitor().ask(**changed))
    assert answer["error"] == error
    assert answer["error_description"]
    assert answer["state"] == "st-1"
    assert "code" not in answer


def test_unknown_scope_is_named_as_aws_names_it(site: Site) -> None:
    """A scope that the client lacks is the description of an invalid_request."""
    answer = callback_of(site.visitor().ask(scope="openid phone"))
    assert answer["error_description"] == "invalid_scope"


def test_repeated_parameter_is_refused(site: Site) -> None:
    """A parameter that comes twice is an invalid_request (RFC 6749 section 3.1)."""
    visitor = site.visitor()
    url = visitor.ask().location.replace("/login?", "/oauth2/authorize?")
    answer = callback_of(visitor.browser.get(f"{url}&nonce=other"))
    assert answer["error"] == "invalid_request"


def test_sign_in_form_has_the_login_hint(site: Site) -> None:
    """login_hint stands in the form, as text."""
    page = site.visitor().form(login_hint='a"><script>@example.com')
    assert page.page.form("/login").fields["username"] == 'a"><script>@example.com'
    assert "<script" not in page.text


def test_identity_provider_cognito_shows_the_form(site: Site) -> None:
    """identity_provider=COGNITO means the people of the pool themselves."""
    assert site.visitor().form(identity_provider="COGNITO").page.heading == "Sign in"


def test_language_is_kept_after_the_first_request(site: Site) -> None:
    """lang chooses the texts, and the browser keeps the choice."""
    visitor = site.visitor()
    assert visitor.form(lang="de").page.heading == "Anmelden"
    assert visitor.form().page.heading == "Anmelden"
    assert visitor.form(lang="fr").page.heading == "Se connecter"


@pytest.mark.parametrize("language", ["ja", "zh-TW", "pt-BR", "xx", "../de"])
def test_language_without_texts_is_english(site: Site, language: str) -> None:
    """A language without texts of ours, known to AWS or not, shows English and says so."""
    page = site.visitor().form(lang=language)
    assert page.page.heading == "Sign in"
    assert page.page.root.get("lang") == "en"


def test_state_comes_back_as_it_was(site: Site) -> None:
    """State survives the pages byte for byte, whatever is in it."""
    state = "a b+c&d=e%2F\"'<>é\r\nX: y"
    assert callback_of(site.visitor().enter(site.add_user(), state=state))["state"] == state


def test_code_is_for_one_use(site: Site) -> None:
    """The code gives tokens once, with the nonce of the request."""
    code = callback_of(site.visitor().enter(site.add_user()))["code"]
    first = site.redeem(code)
    assert first.status_code == 200
    assert claims_of(first.json()["id_token"])["nonce"] == "no-1"
    assert site.redeem(code).json()["error"] == "invalid_grant"


def test_code_is_bound_to_its_request(site: Site) -> None:
    """Another verifier, redirect_uri or client gets nothing for the code."""
    code = callback_of(site.visitor().enter(site.add_user()))["code"]
    assert site.redeem(code, code_verifier="x" * 43).status_code == 400
    assert site.redeem(code, redirect_uri=f"{CALLBACK}/other").status_code == 400
    assert site.redeem(code, client_id=site.add_client()).status_code == 400
    assert site.redeem(code).status_code == 200


def test_second_sign_in_is_silent(site: Site) -> None:
    """With a browser session the application has its code after a single redirect."""
    visitor = site.visitor()
    email = site.add_user()
    visitor.enter(email)
    answer = callback_of(visitor.ask(state="st-2"))
    assert answer["state"] == "st-2"
    tokens = site.redeem(answer["code"]).json()
    assert claims_of(tokens["id_token"])["email"] == email


@pytest.mark.parametrize("prompt", ["none", "select_account", "consent"])
def test_prompts_other_than_login_use_the_session(site: Site, prompt: str) -> None:
    """Only prompt=login asks a person of the pool again."""
    visitor = site.visitor()
    visitor.enter(site.add_user())
    assert "code" in callback_of(visitor.ask(prompt=prompt))


def test_prompt_login_always_asks(site: Site) -> None:
    """prompt=login shows the form in spite of the session, and the new sign-in takes over."""
    visitor = site.visitor()
    visitor.enter(site.add_user("ada"))
    other = site.add_user("bob")
    assert "code" in callback_of(visitor.enter(other, prompt="login"))
    code = callback_of(visitor.ask())["code"]
    assert claims_of(site.redeem(code).json()["id_token"])["email"] == other


def test_session_cookie_is_out_of_reach(site: Site) -> None:
    """The browser session's cookie is new at each sign-in, HttpOnly, SameSite=Lax, one hour."""
    visitor, email = site.visitor(), site.add_user()
    seen = set()
    for _ in range(2):
        answer = visitor.enter(email, prompt="login")
        (cookie,) = (
            value
            for value in answer.header_values("Set-Cookie")
            if value.startswith("offline_login=")
        )
        value, *attributes = cookie.split("; ")
        assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=3600"}
        seen.add(value)
    assert len(seen) == 2


def test_planted_session_id_means_nothing(site: Site) -> None:
    """A session id that the server did not make signs nobody in."""
    visitor = site.visitor()
    visitor.browser.cookies.take("offline_login=planted; Path=/")
    assert path_of(visitor.ask()) == "/login"


def test_disabled_person_is_asked_again(site: Site) -> None:
    """A browser session does not outlive the account behind it."""
    visitor, email = site.visitor(), site.add_user()
    visitor.enter(email)
    site.disable(email)
    assert callback_of(visitor.ask(prompt="none"))["error"] == "login_required"


def test_session_is_for_one_pool(site: Site, mended_aws: Offline) -> None:
    """A second client of the pool is served silently, a client of another pool is not."""
    visitor = site.visitor()
    visitor.enter(site.add_user())
    assert "code" in callback_of(visitor.ask(client_id=site.add_client()))
    assert path_of(visitor.ask(client_id=Site(mended_aws).client_id)) == "/login"


def test_authorize_is_for_get_alone(site: Site) -> None:
    """POST to /oauth2/authorize is refused."""
    assert site.visitor().browser.post("/oauth2/authorize").status == 405


def test_api_calls_are_never_taken_for_pages(site: Site) -> None:
    """A call of the AWS API keeps working on a path that is also a page."""
    target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"}
    browser = site.visitor().browser
    browser.inspect_pages = False
    answer = browser.request("POST", "/mailbox", headers=target, body=b"{}")
    assert not answer.is_html


def test_password_never_leaves_the_form(site: Site) -> None:
    """No page and no address repeats the password that was typed."""
    visitor = site.visitor()
    visitor.enter(site.address("nobody"), PASSWORD)
    visitor.enter(site.add_user(), PASSWORD)
    for response in visitor.browser.responses:
        assert PASSWORD not in response.text
        assert PASSWORD not in response.url
