"""Numbers from outside are parsed only if they are short and consist of ASCII digits."""

import base64
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.socketio.windows import PythonWindow

pytestmark = pytest.mark.stores("sqlite")

LONG = "9" * 5000
"""Python converts no more than 4,300 digits."""
ARABIC = "١٢"
NUMBERS = [LONG, "-" + LONG, "1" + "0" * 400, ARABIC, "²", "1_0", " 1", "+1", "0x1", "1e3", "1.0", "", "-1"]

POLLING = "/socket.io/?EIO=4&transport=polling"


def sid_in(handshake: str) -> str:
    return handshake.replace("\\", "").split('"sid":"')[1].split('"')[0]


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def statuses(person: Person, requests: list[tuple[str, str, dict[str, str]]]) -> dict[str, int]:
    """The status of each request; none may be a server error."""
    seen = {}
    with capture_logs() as logs:
        for method, path, headers in requests:
            headers = {"Authorization": f"Bearer {person.token}", **headers}
            async with person.http.request(method, person.url + path, headers=headers) as answer:
                seen[f"{method} {path[:60]} {str(headers)[-60:]}"] = answer.status
    assert {name: status for name, status in seen.items() if status >= 500} == {}
    assert [line for line in logs if line["log_level"] in ("error", "critical")] == []
    return seen


@pytest.mark.parametrize("number", NUMBERS)
async def test_in_a_query_or_a_path(server: Server, number: str) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    paths = [
        f"/api/chats?limit={number}",
        f"/api/chats?cursor={number}",
        f"/api/users?q=a&limit={number}",
        f"/api/users?q=a&cursor={number}",
        f"/api/chats/{chat_id}/messages?limit={number}",
        f"/api/chats/{chat_id}/messages?before={number}",
        f"/api/chats/{chat_id}/messages?after={number}",
        f"/api/chats/{chat_id}/messages?around={number}",
        f"/api/chats/{number}",
        f"/api/chats/{number}/messages",
        f"/api/messages/{number}",
        f"/api/users/{number}",
        f"/ws?token={number}&subscribe={number}",
        f"/socket.io/?EIO={number}&transport=polling",
        f"{POLLING}&t={number}&sid={number}",
    ]
    seen = await statuses(ann, [("GET", path.replace("+", "%2B"), {}) for path in paths])
    assert all(400 <= status < 500 or "cursor" in name or number == "" for name, status in seen.items())


@pytest.mark.parametrize("number", [number for number in NUMBERS if number])
async def test_of_jsonp(server: Server, number: str) -> None:
    ann = await server.person("ann")
    (status,) = (await statuses(ann, [("GET", f"{POLLING}&j={number}".replace("+", "%2B"), {})])).values()
    assert status == 400


@pytest.mark.parametrize("number", ["0", "7", "123456789"])
async def test_a_good_one_of_jsonp(server: Server, number: str) -> None:
    async with server.http.get(f"{server.url}{POLLING}&j={number}") as answer:
        text = await answer.text()
        assert (answer.status, text.startswith(f'___eio[{number}]("0{{')) == (200, True)
    await server.http.post(f"{server.url}{POLLING}&sid={sid_in(text)}", data="1")


@pytest.mark.parametrize("number", [LONG, ARABIC, "1e999", "-1", "1" + "0" * 30, "0"])
async def test_in_a_header(serve: Serve, tmp_path: Path, number: str) -> None:
    (tmp_path / "index.html").write_text("page")
    server = await serve(web_client_dir=tmp_path)
    ann = await server.person("ann")
    date = f"Mon, 01 Jan {number} 00:00:00 GMT"
    headers = [
        {"Range": f"bytes={number}-{number}"},
        {"Range": f"bytes=-{number}"},
        {"If-Modified-Since": date},
        {"If-Unmodified-Since": date},
        {"If-Range": date},
        {"If-None-Match": f'"{number}"'},
        {"X-Forwarded-For": f"1.2.3.4:{number}"},
        {"X-Forwarded-For": f"[::1]:{number}"},
        {"X-Forwarded-For": f"1.2.3.{number}"},
        {"X-Forwarded-Host": f"x:{number}"},
        {"Host": f"x:{number}"},
        {"Origin": f"http://x:{number}"},
        {"Accept-Encoding": f"gzip;q={number}"},
        {"Content-Length": number},
        {"Keep-Alive": f"timeout={number}"},
        {"Sec-WebSocket-Version": number, "Upgrade": "websocket", "Connection": "upgrade"},
        {"Authorization": f"Bearer {number}.{number}.{number}"},
        {"Authorization": f"Bearer {encoded({'alg': 'HS256', 'n': 1}).replace('1', number)}.e30.x"},
        {"Idempotency-Key": number},
    ]
    paths = ["/api/users/me", "/docs/protocol", "/", POLLING + "&sid=unknown", "/ws", "/health/live"]
    for path in paths:
        await statuses(ann, [("GET", path, sent) for sent in headers])


@pytest.mark.parametrize(
    "packet",
    [
        f'42{LONG}["ping"]',
        f'42{ARABIC}["ping"]',
        f'45{LONG}-["ping"]',
        f'451-{LONG}["ping"]',
        f'45{ARABIC}-["ping"]',
        f'42["join_chat",{{"chat_id":{LONG}}}]',
        f'42["read_messages",{{"chat_id":1,"up_to":-{LONG}}}]',
        f'451-["ping",{{"_placeholder":true,"num":{LONG}}}]',
        f"43{LONG}[]",
    ],
    ids=lambda packet: packet[:40],
)
async def test_in_a_packet(server: Server, packet: str) -> None:
    ann = await server.person("ann")
    window = await PythonWindow.open(ann.http, ann.url, ann.token, transport="websocket")
    with capture_logs() as logs:
        async with server.http.get(server.url + POLLING) as opened:
            sid = sid_in(await opened.text())
        url = f"{server.url}{POLLING}&sid={sid}"
        for body in ("40" + json.dumps({"token": ann.token}), packet, "1"):
            async with server.http.post(url, data=body) as answer:
                assert answer.status in (200, 400)
    assert [line for line in logs if line["log_level"] in ("error", "critical")] == []
    await window.done("ping")
    await window.close()
