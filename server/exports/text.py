"""From text to HTML. Nothing of the text is HTML."""

import html
import re
from itertools import pairwise

from domain.mentions import code_spans

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_AFTER_LINK = ".,:;!?'*_~"
_BLOCK_TICKS = 3
_LANGUAGE = re.compile(r"[ \t]*[\w+#.-]{0,24}[ \t]*\n")


def escaped(text: str) -> str:
    """The text for a place in HTML, attributes too."""
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))


def content_html(content: str) -> str:
    """What a message says: with its code and its links, and the other signs of its formatting as they were typed."""
    spans = code_spans(content) if "`" in content else ()
    edges = [0, *(edge for span in spans for edge in span), len(content)]
    parts = [content[start:end] for start, end in pairwise(edges)]
    shown = "".join(_code(part) if number % 2 else _linked(part) for number, part in enumerate(parts))
    return shown.replace("</pre>\n", "</pre>")  # a block ends its line


def _code(text: str) -> str:
    """`text` is code with its backticks."""
    ticks = len(text) - len(text.lstrip("`"))
    inner = text[ticks:-ticks]
    if ticks < _BLOCK_TICKS or "\n" not in inner:
        return f"<code>{escaped(inner.strip() or inner)}</code>"
    return f"<pre><code>{escaped(_LANGUAGE.sub('', inner, count=1).removesuffix(chr(10)))}</code></pre>"


def _linked(text: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(_AFTER_LINK)
        if address.endswith(")") and "(" not in address:
            address = address[:-1]
        parts += [
            escaped(text[end : match.start()]),
            f'<a href="{escaped(address)}" rel="noreferrer nofollow">{escaped(address)}</a>',
        ]
        end = match.start() + len(address)
    return "".join([*parts, escaped(text[end:])])
