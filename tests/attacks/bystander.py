"""Another user, as a process: `python -m tests.attacks.bystander`, which reads the port, a token and a chat from
standard input.

Sends `ping` on the raw socket again and again, a message now and then, and calls REST; prints how long the answers
took, in ms.
"""

import asyncio
import json
import sys
from time import perf_counter
from typing import Any

import aiohttp

GAP_S = 0.005
MESSAGE_EVERY = 20
PATIENCE_S = 60.0


async def _sockets(orders: dict[str, Any], http: aiohttp.ClientSession, until: float) -> list[float]:
    took: list[float] = []
    url = f"http://127.0.0.1:{orders['port']}/ws?token={orders['token']}"
    async with http.ws_connect(url) as socket:
        n = 0
        while perf_counter() < until:
            n += 1
            frame: dict[str, Any] = {"type": "ping", "id": n}
            if n % MESSAGE_EVERY == 0:
                frame = {
                    "type": "send_message",
                    "id": n,
                    "chat_id": orders["chat_id"],
                    "content": f"message {n}",
                }
            began = perf_counter()
            await socket.send_json(frame)
            while (answer := await asyncio.wait_for(socket.receive_json(), PATIENCE_S)).get("id") != n:
                pass
            assert answer["type"] == "ack", answer
            took.append((perf_counter() - began) * 1000)
            await asyncio.sleep(GAP_S)
    return took


async def _rest(orders: dict[str, Any], http: aiohttp.ClientSession, until: float) -> list[float]:
    took: list[float] = []
    url = f"http://127.0.0.1:{orders['port']}/api/users/me"
    headers = {"Authorization": f"Bearer {orders['token']}"}
    while perf_counter() < until:
        began = perf_counter()
        async with http.get(url, headers=headers) as response:
            assert response.status == 200, await response.text()
            await response.read()
        took.append((perf_counter() - began) * 1000)
        await asyncio.sleep(10 * GAP_S)
    return took


def figures(took: list[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum."""
    ranked = sorted(took)
    return {
        "n": len(ranked),
        "p50": round(ranked[len(ranked) // 2], 2),
        "p99": round(ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)], 2),
        "max": round(ranked[-1], 2),
    }


async def _main() -> None:
    orders = json.loads(sys.stdin.readline())
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http:
        until = perf_counter() + orders["seconds"]
        socket, rest = await asyncio.gather(_sockets(orders, http, until), _rest(orders, http, until))
    print(json.dumps({"socket": figures(socket), "rest": figures(rest)}))


if __name__ == "__main__":
    asyncio.run(_main())
