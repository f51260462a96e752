"""Measures what incoming hooks cost: `python -m benchmarks.incoming_hooks [REQUESTS]`, on Linux.

The server of this checkout, on SQLite and without rate limits, takes what Alertmanager posts, one request after the
other on one connection. Shown is the processor time of the server for each request; for comparison that of a message
that a user sends over REST.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from benchmarks.machine import cpu_s
from benchmarks.vestnik import add_chat, add_users, seed, serving, token_of
from domain.hooks import Hook
from handlers.live.tokens import hash_of
from storage.ports import Store

KEY = "k" * 43

ALERT = {
    "username": "Alertmanager",
    "attachments": [
        {
            "title": "[FIRING:2] InstanceDown (job=node)",
            "title_link": "http://alertmanager.example.org:9093/#/alerts",
            "text": "Disk &gt; 90 % on <https://db.example.org|db-1>",
            "fields": [{"title": "severity", "value": "critical", "short": True}],
        }
    ],
}


async def prepare(store: Store) -> tuple[str, int]:
    """The token of a user, and a chat of theirs with a hook."""
    (user_id,) = await add_users(store, 1)
    chat_id = await add_chat(store, "alerts", [user_id])
    hook = Hook(0, chat_id, "incoming", "Alerts", 0, user_id, datetime.now(UTC))
    await store.hooks.create(hook, key_hash=hash_of(KEY))
    return token_of(user_id), chat_id


async def cost_ms(
    pid: int, url: str, body: Mapping[str, Any], headers: Mapping[str, str], count: int
) -> float:
    """The processor time of the server for each of these requests."""
    async with ClientSession(headers=headers) as http:
        before = 0.0
        for number in range(count + 50):
            if number == 50:  # it is warm
                before = cpu_s([pid])
            async with http.post(url, json=body) as answer:
                if answer.status not in (200, 201):
                    raise RuntimeError(await answer.text())
        return (cpu_s([pid]) - before) / count * 1000


async def measure(url: str, pid: int, token: str, chat_id: int, count: int) -> None:
    hook = await cost_ms(pid, f"{url}/hooks/{KEY}", ALERT, {}, count)
    message = {"chat_id": chat_id, "content": "x" * 100}
    rest = await cost_ms(pid, f"{url}/api/messages", message, {"Authorization": f"Bearer {token}"}, count)
    sys.stdout.write(f"a request to a hook: {hook:.2f} ms\na message over REST: {rest:.2f} ms\n")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory() as folder:
        seeded = seed(Path(folder), prepare)
        with serving(Path(folder)) as (port, pid):
            asyncio.run(measure(f"http://127.0.0.1:{port}", pid, *seeded, count))


if __name__ == "__main__":
    main()
