"""Lines of JSON."""

from collections.abc import Mapping
from typing import Any, TextIO

from handlers.wire.json import dumps


class Lines:
    """Writes objects, each a line with its `type` first."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._out.write(dumps({"type": kind, **fields}).decode() + "\n")
