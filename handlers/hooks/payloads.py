"""The text in a body that an alerting tool posts, in the form that such tools know from Slack and Mattermost."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from domain.text import has_visible
from handlers.wire.json import is_unicode, loads

Fault = Literal["no_text", "invalid_payload"]
"""What may be wrong with a payload, in the words that senders are answered with."""


class PayloadFault(Exception):
    """There is no message in a payload."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


_LINK = re.compile(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_SIGN = re.compile(r"&(lt|gt|amp);")
_SIGNS = {"lt": "<", "gt": ">", "amp": "&"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_Object = Mapping[str, Any]


def text_of_json(body: bytes | str) -> str:
    """The text of a payload in JSON. Raises: `PayloadFault`."""
    if isinstance(body, bytes):
        body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        payload = loads(body)
    except ValueError:
        raise PayloadFault("invalid_payload") from None
    return text_of(payload)


def text_of(payload: Any) -> str:
    """The text of a payload: its `text`, or that of its `blocks` where it has none, and that of its `attachments`.
    Everything else in it is ignored. Raises: `PayloadFault`."""
    if type(payload) is not dict:
        raise PayloadFault("invalid_payload")
    text = payload.get("text")
    if text is not None and type(text) is not str:
        raise PayloadFault("invalid_payload")
    parts = [plain(text or ""), *map(_text_of_attachment, _objects(payload, "attachments"))]
    if not has_visible(parts[0].strip()):
        parts.insert(1, plain("\n".join(filter(None, _texts_of_blocks(payload)))))
    if not all(map(is_unicode, parts)):
        raise PayloadFault("invalid_payload")
    whole = "\n\n".join(part for part in parts if has_visible(part.strip()))
    if not whole:
        raise PayloadFault("no_text")
    return whole


def plain(text: str) -> str:
    """Text of Slack as plain text: links as `text (url)`, and the signs that are written as entities."""
    if "<" in text:
        text = _LINK.sub(_plain_link, text)
    return _SIGN.sub(lambda sign: _SIGNS[sign[1]], text) if "&" in text else text


def _plain_link(link: re.Match[str]) -> str:
    target, label = link[1], link[2]
    if _URL.fullmatch(target):
        return f"{label} ({target})" if label else target
    if target[0] in "@#!" and len(target) > 1:  # a user, a channel, or a word such as `!here`
        return label or ("@" + target[1:] if target[0] == "!" else target)
    return link[0]


def _texts_of_blocks(payload: _Object) -> Iterator[str]:
    for block in _objects(payload, "blocks"):
        text = block.get("text")
        if type(text) is dict:
            yield _value(text, "text")


def _text_of_attachment(attachment: _Object) -> str:
    """Its lines; `fallback` is for an attachment with nothing else."""
    title, link = plain(_value(attachment, "title")), _value(attachment, "title_link")
    if link:
        title = f"{title} ({link})" if title else link
    lines = [plain(_value(attachment, "pretext")), title, plain(_value(attachment, "text"))]
    for one in _objects(attachment, "fields"):
        lines.append(": ".join(filter(None, (plain(_value(one, "title")), plain(_value(one, "value"))))))
    return "\n".join(filter(None, lines)) or plain(_value(attachment, "fallback"))


def _objects(of: _Object, name: str) -> Sequence[_Object]:
    """A list of objects; none where it is absent. Raises: `PayloadFault`."""
    found = of.get(name)
    if found is None:
        return ()
    if type(found) is not list or not all(type(one) is dict for one in found):
        raise PayloadFault("invalid_payload")
    return found


def _value(of: _Object, name: str) -> str:
    """A text, or a number or truth value as text; nothing where it is absent. Raises: `PayloadFault`."""
    found = of.get(name)
    if found is None:
        return ""
    if type(found) is bool:
        return "true" if found else "false"
    if isinstance(found, str | int | float):
        return str(found)
    raise PayloadFault("invalid_payload")
