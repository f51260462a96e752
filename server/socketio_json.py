"""JSON for python-socketio."""

from collections.abc import Callable
from typing import Any

from handlers.wire.json import dumps, loads


class SocketIOJson:
    """The JSON of the wire, behind the two functions that python-socketio calls."""

    @staticmethod
    def dumps(value: Any, *, separators: object = None, default: Callable[[Any], Any] | None = None) -> str:
        return dumps(value, default).decode()

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return loads(text)
