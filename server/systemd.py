"""Notifies systemd of the server's state (`sd_notify`), if systemd runs it with `Type=notify`."""

import asyncio
import contextlib
import os
import socket

import structlog

log = structlog.get_logger("vestnik")


class Systemd:
    """Sends states to the socket that NOTIFY_SOCKET names; without the variable it does nothing.

    With WATCHDOG_USEC, it sends a sign of life twice in that time, from the event loop: systemd then ends a server
    whose loop is stuck. A database that is away does not stop the signs.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        watchdog_us, pid = (os.environ.pop(name, "") for name in ("WATCHDOG_USEC", "WATCHDOG_PID"))
        is_ours = watchdog_us.isdecimal() and pid in ("", str(os.getpid()))
        self._sign_every_s = int(watchdog_us) / 2e6 if is_ours else 0.0
        self._signs: asyncio.TimerHandle | None = None

    def ready(self) -> None:
        self._send("READY=1")
        if self._address and self._sign_every_s:
            self._give_sign()

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def close(self) -> None:
        if self._signs is not None:
            self._signs.cancel()

    def _give_sign(self) -> None:
        self._send("WATCHDOG=1")
        self._signs = asyncio.get_running_loop().call_later(self._sign_every_s, self._give_sign)

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # "@" stands for the zero byte of Linux's abstract addresses.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notify:
                notify.setblocking(False)
                notify.sendto(state.encode(), address)
        except OSError as error:
            log.warning("systemd cannot be told the server's state", state=state, reason=error.strerror)
