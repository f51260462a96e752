"""A small client of the REST gate."""

from typing import Any

from aiohttp import ClientSession

from tests.clients.documented import see_answer

PASSWORD = "correct horse battery"

Answer = tuple[int, Any]


class RestClient:
    """Calls with one token, or with none before `login`."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self.http = http
        self.url = url
        self.token = ""
        self.refresh_token = ""

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        """Status and JSON body (None: no body) of a call; `path` comes after /api. Options are aiohttp's."""
        headers = dict(options.pop("headers", ()))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.http.request(method, f"{self.url}/api{path}", headers=headers, **options) as answer:
            body = await answer.read()
            see_answer(method, f"/api{path}", answer.status, answer.content_type, body)
            return answer.status, (await answer.json() if body else None)

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a GET that has to succeed."""
        return await self._done("GET", path, params=params)

    async def post(self, path: str, **body: Any) -> Any:
        """The body of a POST that has to succeed."""
        return await self._done("POST", path, json=body)

    async def patch(self, path: str, **body: Any) -> Any:
        """The body of a PATCH that has to succeed."""
        return await self._done("PATCH", path, json=body)

    async def delete(self, path: str) -> None:
        """A DELETE that has to succeed."""
        await self._done("DELETE", path)

    async def register(self, username: str, password: str = PASSWORD, **more: Any) -> Any:
        """The new user."""
        return await self.post("/auth/register", username=username, password=password, **more)

    async def login(self, username: str, password: str = PASSWORD) -> Any:
        """The answer of a login; the client calls with its token from now on."""
        answer = await self.post("/auth/login", username=username, password=password)
        self.token, self.refresh_token = answer["access_token"], answer["refresh_token"]
        return answer

    async def _done(self, method: str, path: str, **options: Any) -> Any:
        status, body = await self.request(method, path, **options)
        assert status < 300, (method, path, status, body)
        return body
