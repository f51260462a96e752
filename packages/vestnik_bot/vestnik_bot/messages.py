"""Messages as handlers get them, and how they answer."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from vestnik_bot.errors import Refused
from vestnik_bot.heard import Heard

Json = dict[str, Any]

TYPING_EVERY_S = 2.0
"""Others see that somebody types until 3 s after the last word of it."""


@dataclass(frozen=True)
class User:
    id: int
    username: str
    display_name: str
    is_bot: bool


class Sender(Protocol):
    """What a message needs of its bot."""

    @property
    def me(self) -> User: ...
    @property
    def heard(self) -> Heard: ...
    async def call_in(self, epoch: str | None, command: str, payload: Json) -> Json: ...
    async def hint(self, command: str, **payload: Any) -> None: ...
    async def stream(self, chat_id: int, stream_id: str, chunks: AsyncIterable[str]) -> str: ...


class Message:
    """A message of a chat. The `client_id` of an answer is made from the id of the message that it answers and from the
    number of answers before it: when a handler runs again after the bot was killed, its answers are the same messages.
    """

    def __init__(
        self, bot: Sender, raw: Json, sender: User, answers: Mapping[str, Json] | None = None
    ) -> None:
        self._bot = bot
        self._answers = {} if answers is None else answers
        self._sent = 0
        self._epoch = bot.heard.epoch
        self.raw = raw
        """The message object of docs/protocol.md."""
        self.sender = sender
        self.arguments = ""
        """What follows the command, in a handler of a command."""

    @property
    def id(self) -> int:
        return int(self.raw["id"])

    @property
    def chat_id(self) -> int:
        return int(self.raw["chat_id"])

    @property
    def content(self) -> str:
        return str(self.raw["content"])

    @property
    def reply_to(self) -> int | None:
        """The id of the message that this one answers."""
        return None if self.raw["reply_to"] is None else int(self.raw["reply_to"])

    @property
    def bot_username(self) -> str:
        return self._bot.me.username

    @property
    def mentions_me(self) -> bool:
        return self._bot.me.id in self.raw["mentions"]

    async def reply(self, content: str) -> "Message | None":
        """Sends an answer to this message and returns it once it is on the server's disk; waits while the server is
        away. None: the answer was sent before and is deleted, or the bot is no longer in the chat, or the server was
        restored from a backup meanwhile. The message is handled again then, if it is still there."""
        return await self._send(self._next_id(), self.chat_id, content, reply_to=self.id)

    async def send(self, chat_id: int, content: str) -> "Message | None":
        """Sends a message to any chat because of this one; otherwise as `reply`."""
        return await self._send(self._next_id(), chat_id, content)

    async def reply_stream(self, chunks: AsyncIterable[str]) -> "Message | None":
        """Answers with the text of all chunks, and shows it while it grows; otherwise as `reply`. If the bot was ended
        after it had sent the answer, nothing is taken from `chunks`."""
        client_id = self._next_id()
        known = self._answers.get(client_id)
        if known is not None:
            return self._own(known)
        content = await self._bot.stream(self.chat_id, client_id, chunks)
        return await self._send(client_id, self.chat_id, content, reply_to=self.id)

    async def react(self, emoji: str) -> None:
        await self._call("add_reaction", message_id=self.id, emoji=emoji)

    async def edit(self, content: str) -> None:
        """Only for the bot's own messages, which `reply` and `send` return."""
        await self._call("edit_message", message_id=self.id, content=content)

    @asynccontextmanager
    async def typing(self) -> AsyncIterator[None]:
        """Shows that the bot types, until the block ends."""
        task = asyncio.create_task(self._type())
        try:
            yield
        finally:
            task.cancel()
            await self._bot.hint("typing", chat_id=self.chat_id, is_typing=False)

    async def _type(self) -> None:
        while True:
            await self._bot.hint("typing", chat_id=self.chat_id, is_typing=True)
            await asyncio.sleep(TYPING_EVERY_S)

    async def _send(self, client_id: str, chat_id: int, content: str, **more: Any) -> "Message | None":
        known = self._answers.get(client_id)
        if known is not None:
            return self._own(known)
        try:
            ack = await self._call(
                "send_message", chat_id=chat_id, content=content, client_id=client_id, **more
            )
        except Refused as error:
            if error.code == "not_found":
                return None
            raise
        return self._own(ack["message"])

    async def _call(self, command: str, **payload: Any) -> Json:
        return await self._bot.call_in(self._epoch, command, payload)

    def _next_id(self) -> str:
        """The name of the next answer, which a repeat of the handler gives it again."""
        self._sent += 1
        return f"re-{self.id}-{self._sent}"

    def _own(self, raw: Json) -> "Message":
        return Message(self._bot, raw, self._bot.me)
