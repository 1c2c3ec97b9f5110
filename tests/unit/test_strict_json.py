"""JSON with one meaning only."""

import json

import pytest

from webapp.managed_login.strict_json import DEEPEST, Malformed, loads_object


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, "x", null, true]} \n', {"a": [1, 2.5, "x", None, True]}),
        ('{"é": "\\u00e9 \\ud83d\\ude00"}', {"é": "é 😀"}),
        ('{"é": "😀"}'.encode(), {"é": "😀"}),
        (b'{"a": "\\\\ud800"}', {"a": "\\ud800"}),
        (b'{"a": 1e308, "b": 98765432109876543210}', {"a": 1e308, "b": 98765432109876543210}),
    ],
)
def test_sound_objects(raw: bytes | str, value: object) -> None:
    """An object in JSON comes out as it is."""
    assert loads_object(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b" ", b"[]", b"null", b"1", b'"x"', b"{", b"{}{}", b"{'a':1}", b'{"a":1,}'),
        *(b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b'[{"a":1,"a":2}]', b'{"a":1,"\\u0061":2}'),
        *(b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":-1e999}'),
        *(b'{"a":' + b"9" * 5000 + b"}", b'{"a":"\x00"}', b'{"a":"\n"}'),
        *(b'{"a":"\\ud800"}', b'{"a":"\\uDFFF"}', b'{"\\udc00":1}', b'{"a":"\xed\xa0\x80"}'),
        *('{"a":"\ud800"}', b'{"a":"\xff"}', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16")),
        '{"a":1}'.encode("utf-32"),
    ],
    ids=lambda raw: ascii(raw[:24]),
)
def test_everything_else_is_malformed(raw: bytes | str) -> None:
    """What is no sound JSON object in UTF-8 is refused, and the message does not repeat it."""
    with pytest.raises(Malformed) as caught:
        loads_object(raw)
    assert str(caught.value) in {
        "not JSON",
        "not a JSON object",
        "not a JSON number",
        "a number too large",
        "a member is repeated",
    }


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_a_limit(opening: str, closing: str) -> None:
    """Nesting is taken to the limit and refused beyond it, however deep the parser could go."""

    def nested(depth: int) -> str:
        return '{"a":' + opening * depth + "1" + closing * depth + "}"

    assert loads_object(nested(DEEPEST - 1))
    for depth in (DEEPEST, 100, 900, 5_000, 100_000):
        with pytest.raises(Malformed):
            loads_object(nested(depth))


def test_brackets_in_text_are_no_nesting() -> None:
    """Only structure counts: a text may hold any number of brackets."""
    text = json.dumps({"a": "[{" * 500})
    assert loads_object(text)["a"] == "[{" * 500
