"""The ways by which a client of a history asks: REST, and each wire."""

from typing import Any

from aiohttp import ClientConnectorError, ClientError

from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame, Wire


class NotSent(Exception):
    """The command never left: there is no server."""


class NoAnswer(Exception):
    """The command may have been done, or not, or may be done in a moment."""


class RestDoor:
    """Commands of the sockets as REST calls. Answers are written as those of the sockets."""

    def __init__(self, person: Person) -> None:
        self.person = person

    async def ask(self, command: str, **fields: Any) -> Frame:
        """An ack or an error. Raises: `NotSent`, `NoAnswer`."""
        match command:
            case "send_message":
                status, body = await self.call("POST", "/messages", json=fields)
                return {"message": body, "duplicate": status == 200} if status < 300 else body
            case "edit_message":
                path = f"/messages/{fields.pop('message_id')}"
                status, body = await self.call("PATCH", path, json=fields)
                return {"message": body} if status < 300 else body
            case "delete_message":
                status, body = await self.call("DELETE", f"/messages/{fields['message_id']}")
                return {} if status < 300 else body
            case _:
                path = f"/chats/{fields.pop('chat_id')}/read"
                return (await self.call("POST", path, json=fields))[1]

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """The status and the body; an error's body has the key `code`."""
        try:
            status, body = await self.person.request(method, path, **options)
        except ClientConnectorError as error:
            raise NotSent from error
        except (ClientError, OSError, TimeoutError) as error:
            raise NoAnswer from error
        if status >= 500:
            raise NoAnswer(body)
        return status, body["error"] if status >= 400 else body

    async def close(self) -> None:
        return


class SocketDoor:
    """One connection at a time over one wire, opened when it is needed."""

    def __init__(self, kind: str, person: Person) -> None:
        self.person = person
        self._kind = kind
        self._wire: Wire | None = None
        self._frames: list[Frame] = []
        self._replay: list[Frame] = []

    async def ask(self, command: str, **fields: Any) -> Frame:
        """An ack or an error. Raises: `NotSent`, `NoAnswer`."""
        wire = await self._open()
        answer = await wire.ask(command, **fields)
        if answer is None or answer.get("code") == "unavailable":
            raise NoAnswer
        return answer

    async def join(self, chat_id: int) -> tuple[Frame, dict[int, Frame]]:
        """Joins the chat anew, from its beginning: the ack, and the messages that the replay made, by id."""
        await self.ask("leave_chat", chat_id=chat_id)
        self._frames.clear()
        ack = await self.ask("join_chat", chat_id=chat_id, after_seq=0)
        frames = [frame for frame in self._replay if frame.get("chat_id") == chat_id and "seq" in frame]
        messages = {frame["message"]["id"]: frame["message"] for frame in frames if "message" in frame}
        for frame in frames:
            if frame["type"] == "message_deleted":
                messages.pop(frame["message_id"], None)
        return ack, messages

    async def _open(self) -> Wire:
        if self._wire is None or self._wire.over.is_set():
            await self.close()
            person = self.person
            self._wire = WIRES[self._kind](person.http, person.url, person.token, self._see)
            if not await self._wire.open():
                raise NotSent
        return self._wire

    def _see(self, frame: Frame) -> None:
        if "replayed" in frame:
            self._replay = list(self._frames)  # what comes after the ack is live
        self._frames.append(frame)

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()


Door = RestDoor | SocketDoor


def door_of(kind: str, person: Person) -> Door:
    return RestDoor(person) if kind == "rest" else SocketDoor(kind, person)
