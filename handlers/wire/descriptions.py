"""What docstrings say, as text for documents."""

import inspect
import re
from typing import Any

_RAISES = re.compile(r"\s*\bRaises:.*", re.DOTALL)
"""What Python code has to know; documents list the errors of a command by code."""


def description_of(thing: Any) -> str:
    """The docstring of a function or a class, each paragraph on one line; empty without a docstring of its own."""
    docstring = thing.__doc__ if inspect.isroutine(thing) else thing.__dict__.get("__doc__")
    text = _RAISES.sub("", inspect.cleandoc(docstring or ""))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip())


def summary_of(description: str) -> str:
    """The first sentence, without its full stop and without what follows a colon or a semicolon."""
    sentence = re.split(r"(?<=[.])\s|[:;]\s", description, maxsplit=1)[0]
    return sentence.rstrip(".:; ")
