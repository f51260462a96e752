"""The text in what alerting tools post."""

import json
import time
from typing import Any

import pytest

from handlers.hooks.payloads import PayloadFault, plain, text_of, text_of_json
from tests.hooks.senders import SENDERS


@pytest.mark.parametrize("sender", SENDERS)
def test_what_tools_post(sender: str) -> None:
    payload, expected = SENDERS[sender]
    assert text_of_json(json.dumps(payload).encode()) == expected


LINKS = {
    "<https://a.example/x?y=1&amp;z=2|the site>": "the site (https://a.example/x?y=1&z=2)",
    "<https://a.example>": "https://a.example",
    "<https://a.example|>": "https://a.example",
    "see <http://a|one> and <http://b|two>": "see one (http://a) and two (http://b)",
    "<mailto:ann@a.example|Ann>": "Ann (mailto:ann@a.example)",
    "&lt;b&gt; &amp;amp; &amp;lt; &quot;": "<b> &amp; &lt; &quot;",
    "&lt;https://a.example|x&gt;": "<https://a.example|x>",
    "1 < 2 and 3 > 2": "1 < 2 and 3 > 2",
    "a <b> c": "a <b> c",
    "<>": "<>",
    "<|x>": "<|x>",
    "<https://a.example": "<https://a.example",
    "<https://a.example\n|x>": "<https://a.example\n|x>",
    "<https://a b|x>": "<https://a b|x>",
    "<!channel> <!here|here> <!all>": "@channel here @all",
    "<!date^1392734382^{date}|February 18th>": "February 18th",
    "<@U024BE7LH> <@U1|ann> <#C1|general> <#C2>": "@U024BE7LH ann general #C2",
    "<!>": "<!>",
}


@pytest.mark.parametrize("text", LINKS)
def test_links_and_signs(text: str) -> None:
    assert plain(text) == LINKS[text]


TEXTS: list[tuple[Any, str]] = [
    ({"text": "hello"}, "hello"),
    ({"text": " kept as it is\n"}, " kept as it is\n"),
    ({"text": "Привет 👋", "username": 5, "icon_url": [], "channel": {}}, "Привет 👋"),
    ({"text": "words", "blocks": [{"type": "section", "text": {"text": "blocks"}}]}, "words"),
    ({"text": "words", "blocks": "nothing that is looked at"}, "words"),
    (
        {
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "One"}},
                {"type": "divider"},
                {"type": "section", "text": {"type": "mrkdwn", "text": "<https://a.example|two>"}},
                {"type": "section", "text": "not an object"},
                {"type": "section", "text": {"text": None}},
            ]
        },
        "One\ntwo (https://a.example)",
    ),
    ({"text": " ", "blocks": [{"text": {"text": "x"}}]}, "x"),
    ({"text": None, "blocks": None, "attachments": [{"text": "x"}]}, "x"),
    ({"text": "a", "attachments": []}, "a"),
    ({"text": "a", "attachments": [{"text": "b"}, {"text": "c"}]}, "a\n\nb\n\nc"),
    ({"attachments": [{"fallback": "plain"}]}, "plain"),
    ({"attachments": [{"fallback": "plain", "color": "good", "fields": []}]}, "plain"),
    ({"attachments": [{"fallback": "plain", "title": "Title"}]}, "Title"),
    ({"attachments": [{"title_link": "https://a.example/?a=1&amp;b"}]}, "https://a.example/?a=1&amp;b"),
    (
        {"attachments": [{"pretext": "p", "title": "t", "title_link": "https://l", "text": "x"}]},
        "p\nt (https://l)\nx",
    ),
    (
        {
            "attachments": [
                {
                    "fields": [
                        {"title": "a", "value": 1},
                        {"title": "b", "value": 1.5},
                        {"title": "c", "value": False},
                        {"title": "d"},
                        {"value": "e"},
                        {"title": None, "value": None},
                        {},
                    ]
                }
            ]
        },
        "a: 1\nb: 1.5\nc: false\nd\ne",
    ),
]


@pytest.mark.parametrize(("payload", "expected"), TEXTS)
def test_the_text(payload: Any, expected: str) -> None:
    assert text_of(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"text": ""},
        {"text": " \n\t"},
        {"text": "\u200b\u3164"},
        {"text": None},
        {"username": "Grafana"},
        {"attachments": [{}, {"fallback": " "}, {"fields": [{}]}, {"color": "good"}]},
        {"blocks": [{"type": "divider"}]},
    ],
)
def test_payloads_without_text(payload: Any) -> None:
    with pytest.raises(PayloadFault, match="no_text"):
        text_of(payload)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        5,
        "text",
        [],
        [{"text": "x"}],
        {"text": 5},
        {"text": True},
        {"text": ["x"]},
        {"text": {"text": "x"}},
        {"text": "x", "attachments": {}},
        {"text": "x", "attachments": "x"},
        {"text": "x", "attachments": [None]},
        {"text": "x", "attachments": [["x"]]},
        {"text": "x", "attachments": [{"title": ["x"]}]},
        {"text": "x", "attachments": [{"fields": {"title": "x"}}]},
        {"text": "x", "attachments": [{"fields": [{"value": {}}]}]},
        {"blocks": {}},
        {"blocks": ["x"]},
        {"blocks": [{"text": {"text": []}}]},
        {"text": "\ud800"},
        {"text": "x", "attachments": [{"title": "\udfff"}]},
    ],
)
def test_payloads_of_another_form(payload: Any) -> None:
    with pytest.raises(PayloadFault, match="invalid_payload"):
        text_of(payload)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b'{"text": "x"} x',
        b"{'text': 'x'}",
        b'{"text": "\xff"}',
        b'{"text": "\xe9"}',
        b'{"text": NaN}',
        '{"text": "x"}'.encode("utf-16"),
        b'{"text": "\\ud83d"}',
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"attachments":[' * 10_000,
    ],
)
def test_bodies_that_are_no_payload(body: bytes) -> None:
    with pytest.raises(PayloadFault, match="invalid_payload"):
        text_of_json(body)


def test_odd_json_that_is_a_payload() -> None:
    assert text_of_json(b'\xef\xbb\xbf{"text": "with a mark"}') == "with a mark"
    assert text_of_json(b'{"text": "first", "text": "last"}') == "last"
    assert (
        text_of_json(b'{"text": "\\ud83d\\ude00 \\u0000", "n": 1e400}'.replace(b', "n": 1e400', b""))
        == "😀 \0"
    )
    deep = b'{"x":' * 500 + b"1" + b"}" * 500
    assert text_of_json(b'{"text": "x", "y": ' + deep + b"}") == "x"


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "<" * 250_000},
        {"text": "<a|" * 80_000},
        {"text": "<https://a|" * 20_000},
        {"text": "&amp;" * 50_000},
        {"text": " " * 250_000 + "x"},
        {"text": "\u3164" * 80_000 + "x"},
        {"attachments": [{"fallback": ""}] * 15_000 + [{"text": "x"}]},
        {"attachments": [{"fields": [{"value": "x"}] * 15_000}]},
    ],
)
def test_a_large_payload_takes_little_time(payload: Any) -> None:
    began = time.process_time()
    assert text_of(payload)
    assert time.process_time() - began < 0.5
