"""Ports that stay one's own while nothing listens there."""

import socket


class HeldPort:
    """A port of 127.0.0.1 that the system gives to nobody else, as long as this object lives: a socket is bound to it
    that never listens. A server may listen there, stop, and listen again, if it sets SO_REUSEADDR as servers do."""

    def __init__(self) -> None:
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind(("127.0.0.1", 0))
        self.number = int(self._holder.getsockname()[1])

    def __del__(self) -> None:
        self._holder.close()
