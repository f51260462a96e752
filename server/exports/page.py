"""The page of an export: one file of HTML with its style, without a script, that needs no server."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO
from urllib.parse import quote

from server.exports.style import STYLE
from server.exports.text import content_html, escaped
from server.sizes import size_text

RECENT_MAX = 1000
"""So many messages are remembered for the answers that quote them."""

_QUOTED_CHARS = 120

# No script, and nothing from elsewhere, whatever a message says.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:; media-src 'self' file:"

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
<h1><bdi>{title}</bdi></h1>
"""


class Page:
    """Writes the page from its top to its end; only a few messages are in memory."""

    def __init__(self, out: TextIO, title: str, about: Sequence[tuple[str, str]]) -> None:
        """`about`: what is said of all of it, as names and values."""
        self._out = out
        self._day = ""
        self._recent: dict[int, str] = {}
        out.write(_HEAD.format(policy=_POLICY, title=escaped(title), style=STYLE))
        rows = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>\n" for name, value in about)
        out.write(f"<dl>\n{rows}</dl>\n")

    def section(self, title: str) -> None:
        """Begins a part with a heading."""
        self._end_day()
        self._out.write(f"<h2><bdi>{escaped(title)}</bdi></h2>\n")

    def rows(self, lines: Iterable[str]) -> None:
        """A list."""
        items = "".join(f"<li>{escaped(line)}</li>\n" for line in lines)
        self._out.write(f"<ul>\n{items}</ul>\n" if items else "")

    def message(self, message: Mapping[str, Any], sender: str, names: Mapping[int, str], quoted: str) -> None:
        """A message, as `objects.message_object` makes it. `names` are those of people who react; `quoted` is said of
        an answer whose message is not remembered."""
        at = datetime.fromisoformat(message["created_at"])
        self._begin_day(at)
        parts = [
            f'<article id="m{message["id"]}"><header><b><bdi>{escaped(sender)}</bdi></b>'
            f' <a href="#m{message["id"]}"><time datetime="{message["created_at"]}">{at:%H:%M}</time></a>',
            " <small>pinned</small>" if message.get("pinned") else "",
            "</header>",
            self._answer(message, quoted),
            f'<div class="text" dir="auto">{content_html(message["content"])}</div>'
            if message["content"]
            else "",
            *map(_attachment, message["attachments"]),
            _reactions(message.get("reactions", {}), names),
            _versions(message),
            "</article>\n",
        ]
        self._out.write("".join(parts))
        self._remember(message, sender)

    def end(self) -> None:
        self._end_day()

    def _begin_day(self, at: datetime) -> None:
        day = f"{at:%Y-%m-%d}"
        if day != self._day:
            self._end_day()
            self._day = day
            self._out.write(f"<section><h3>{at:%A}, {at.day} {at:%B %Y}</h3>\n")

    def _end_day(self) -> None:
        if self._day:
            self._out.write("</section>\n")
        self._day = ""

    def _answer(self, message: Mapping[str, Any], quoted: str) -> str:
        answered = message.get("reply_to")
        if answered is None:
            return ""
        known = self._recent.get(answered)
        if known is None:
            return f'<p class="answer">{escaped(quoted.format(answered))}</p>'
        return f'<p class="answer"><a href="#m{answered}">{known}</a></p>'

    def _remember(self, message: Mapping[str, Any], sender: str) -> None:
        said = message["content"] or ", ".join(one["name"] for one in message["attachments"])
        short = said if len(said) <= _QUOTED_CHARS else f"{said[:_QUOTED_CHARS]}…"
        self._recent[message["id"]] = (
            f"<bdi>{escaped(sender)}</bdi>: <bdi>{escaped(' '.join(short.split()))}</bdi>"
        )
        if len(self._recent) > RECENT_MAX:
            del self._recent[next(iter(self._recent))]


def _attachment(upload: Mapping[str, Any]) -> str:
    name, size = escaped(upload["name"]), size_text(upload["size"])
    if upload["file"] is None:
        return f'<p class="file"><bdi>{name}</bdi> ({size}), not in this export</p>'
    place = quote(upload["file"])
    link = f'<a href="{place}"><bdi>{name}</bdi></a> ({size})'
    if "width" not in upload:
        return f'<p class="file">{link}</p>'
    width, height = upload["width"], upload["height"]
    shown = f'<a href="{place}"><img src="{place}" alt="{name}" width="{width}" height="{height}" loading="lazy"></a>'
    return f'<p class="file">{shown}<br>{link}</p>'


def _reactions(reactions: Mapping[str, Sequence[int]], names: Mapping[int, str]) -> str:
    shown = "".join(
        f'<li title="{escaped(", ".join(names.get(user_id, f"user {user_id}") for user_id in user_ids))}">'
        f"{escaped(emoji)} {len(user_ids)}</li>"
        for emoji, user_ids in reactions.items()
    )
    return f'<ul class="reactions">{shown}</ul>' if shown else ""


def _versions(message: Mapping[str, Any]) -> str:
    if message["edited_at"] is None:
        return ""
    edited = datetime.fromisoformat(message["edited_at"])
    before = "".join(
        f'<div class="text" dir="auto">{content_html(version["content"])}</div>'
        for version in message["versions"]
    )
    return f"<details><summary>edited {edited:%Y-%m-%d %H:%M}</summary>{before}</details>"
