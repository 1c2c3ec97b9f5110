"""What an address may be."""

import pytest

from webapp.addresses import LONGEST_PATH, is_loopback, local_path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1"])
def test_this_machine(host: str) -> None:
    """The names of this very machine are loopback."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *(None, "", "localhost.", "localhost.evil.example", "LOCALHOST.evil", "127.0.0.1.evil"),
        *(
            "0.0.0.0",  # noqa: S104  judged here, not bound
            "128.0.0.1",
            "10.0.0.1",
            "::",
            "::2",
            "[::1]",
            "2130706433",
            "127.1",
            "0x7f.1",
        ),
    ],
)
def test_other_machines(host: str | None) -> None:
    """Nothing else is, however much it looks like it."""
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/session", "/api/call", "/a/b/", "/a-b_c.d~e", "/a;b=c", "/a:b@c", "/(x)!$&'*+,="),
        *(
            "/session?x=1%262",
            "/s?",
            "/s?a=/b//c/../d",
            "/s?u=https://a.example/?b",
            "/%20",
            "/...",
            "/a..b",
        ),
        *("/s?q=%C3%A9", "/loginx", "/login/x", "/my/login", "/s?next=/login", "/%2525"),
    ],
)
def test_ours(path: str) -> None:
    """A plain path of ours comes back as it is, to the byte."""
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "session", "?x", "#x", "//a", "///a", "/\\a", "\\a", "/a\\b", "/a//b", "//"),
        *(
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/%2e%2e",
            "/%252e",
            "/..;x",
            "/a/.;b/c",
            "/%2f/a",
            "/%2fa",
        ),
        *("/a#b", "/a b", "/a\n", "/a\tb", "/\x00", "/é", "/%C3%A9", '/"', "/<a>", "/{a}", "/a|b"),
        *("/a^b", "/`", "/%", "/%2", "/%zz", "/s?%", "/%5c", "/%255c", "/%0a", "/%250a", "/s?%0a"),
        *(
            "/s?%250d",
            "/s?%ff",
            "/s?%E2%80%A8",
            "/s?%7f",
            "/s?%C2%A0",
            "/login",
            "/Login/",
            "/%6cogin",
        ),
        *("/logout?a", "/callback", "https://a/", "http:a", "javascript:a", "/a\ud800"),
    ],
)
def test_not_ours(path: str | None) -> None:
    """Whatever can be read in two ways, or leads in circles, becomes the home page."""
    assert local_path(path) == "/"


def test_length() -> None:
    """A path may be so long and not a character longer."""
    longest = "/" + "a" * (LONGEST_PATH - 1)
    assert local_path(longest) == longest
    assert local_path(longest + "a") == "/"
