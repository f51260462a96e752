"""`vestnik_bot` against the real server."""

import asyncio
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bots.conftest import StartBot, said_by
from tests.clients.bots import make_bot
from tests.clients.people import Person
from tests.clients.restored import go_back, keep_state
from tests.conftest import Serve, Server
from tests.patience import SLACK, within
from vestnik_bot import Bot, Ended, Message, Refused
from vestnik_bot import feed as feed_module

Run = Callable[[Bot], Awaitable[Callable[[], Awaitable[None]]]]


class Scene:
    """A person and their bot in a chat. `seen` has what the handlers of `bot()` got."""

    def __init__(self, server: Server, ann: Person, account: Person, chat_id: int, place: Path) -> None:
        self.server, self.ann, self.account, self.chat_id = server, ann, account, chat_id
        self.cursor = place / "cursor.db"
        self.seen: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def bot(self, **options: Any) -> Bot:
        """A bot that notes what it gets."""
        bot = Bot(self.server.url, self.account.token, cursor=self.cursor, **options)

        @bot.on_message
        async def note(message: Message) -> None:
            self.seen.append(message.content)

        return bot

    async def start(self, bot: Bot) -> asyncio.Task[None]:
        """Starts the bot, and returns when it is connected."""
        started = asyncio.Event()

        @bot.on_start
        async def begin() -> None:
            started.set()

        task = asyncio.create_task(bot.start())
        self._tasks.append(task)
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        waiting.cancel()
        assert started.is_set()
        return task

    async def stop(self, bot: Bot, task: asyncio.Task[None]) -> None:
        bot.stop()
        await asyncio.wait_for(task, 10 * SLACK)

    async def say(self, *contents: str) -> list[int]:
        return [(await self.ann.say(self.chat_id, content))["id"] for content in contents]

    async def answers(self, chat_id: int) -> list[str]:
        """What the bot has said in a chat."""
        found = (await self.ann.get(f"/chats/{chat_id}/messages"))["messages"]
        return [message["content"] for message in found if message["sender_id"] == self.account.id]

    async def sees(self, *contents: str) -> None:
        """Waits until exactly these were handled."""
        try:
            async with within(10):
                while len(self.seen) < len(contents):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pass
        assert self.seen == list(contents)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def make_scene(serve: Serve, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Scene]]]:
    scenes: list[Scene] = []

    async def make(**settings: Any) -> Scene:
        server = await serve(**settings)
        ann = await server.person("ann")
        account = await make_bot(ann)
        scenes.append(Scene(server, ann, account, await ann.chat(account), tmp_path))
        return scenes[-1]

    yield make
    for scene in scenes:
        await scene.close()


@pytest.fixture
async def scene(make_scene: Callable[..., Awaitable[Scene]]) -> Scene:
    return await make_scene(messages_per_s=0)


@pytest.mark.parametrize("answer_old", [False, True])
async def test_the_first_start_handles_what_is_old_only_if_asked_to(scene: Scene, answer_old: bool) -> None:
    await scene.say("old")
    bot = scene.bot(answer_old=answer_old)
    task = await scene.start(bot)
    await scene.say("new")
    await scene.sees(*["old"] * answer_old, "new")
    await scene.stop(bot, task)
    await scene.say("while away")
    await scene.start(scene.bot(answer_old=answer_old))
    await scene.sees(*["old"] * answer_old, "new", "while away")


async def test_a_handler_that_fails_stops_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    bot = scene.bot()

    @bot.command("/fail")
    async def fail(message: Message) -> None:
        raise ValueError(message.arguments)

    @bot.command("/refused")
    async def refused(message: Message) -> None:
        with pytest.raises(Refused) as caught:
            await message.reply("")
        scene.seen.append(caught.value.code)

    task = await scene.start(bot)
    await scene.say("/fail with this", "/refused", "goes on")
    await scene.sees("invalid", "goes on")
    assert "ValueError: with this" in caplog.text
    await scene.stop(bot, task)
    await scene.start(scene.bot())
    await scene.say("again")
    await scene.sees("invalid", "goes on", "again")


async def test_a_handler_that_hangs_ends(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    bot = scene.bot(handler_timeout_s=0.1)

    @bot.command("/hang")
    async def hang(message: Message) -> None:
        await asyncio.Event().wait()

    await scene.start(bot)
    await scene.say("/hang", "goes on")
    await scene.sees("goes on")
    assert "no end after 0.1 s" in caplog.text


async def test_more_than_the_server_replays_is_read_from_history(scene: Scene) -> None:
    bot = scene.bot()
    task = await scene.start(bot)
    await scene.say("first")
    await scene.sees("first")
    await scene.stop(bot, task)
    contents = [str(number) for number in range(620)]
    for content in contents:
        await scene.say(content)
    bot = scene.bot()
    task = await scene.start(bot)
    await scene.sees("first", *contents)
    await scene.say("live")
    await scene.sees("first", *contents, "live")


async def test_a_chat_of_another_epoch_goes_on_after_the_message_that_was_handled_last(scene: Scene) -> None:
    bot = scene.bot()
    task = await scene.start(bot)
    await scene.say("one", "two")
    await scene.sees("one", "two")
    await scene.stop(bot, task)
    await scene.say("three", "four")
    with sqlite3.connect(scene.cursor) as cursor:  # as if the server had been restored from a backup
        assert cursor.execute("UPDATE positions SET epoch = 'other', seq = 999").rowcount == 1
    cursor.close()
    bot = scene.bot()
    task = await scene.start(bot)
    await scene.say("live")
    await scene.sees("one", "two", "three", "four", "live")
    await scene.stop(bot, task)
    await scene.start(scene.bot())
    await scene.say("end")
    await scene.sees("one", "two", "three", "four", "live", "end")


async def test_after_a_restored_backup_nothing_is_answered_twice_and_nothing_new_is_missed(
    scene: Scene,
) -> None:
    """Ids of lost messages are given again, so that answers to them have the `client_id`s of lost answers."""
    bot = scene.bot()
    replied = []

    @bot.on_message
    async def reply(message: Message) -> None:
        answer = await message.reply(f"re {message.content}")
        replied.append(answer and answer.content)

    task = await scene.start(bot)
    await scene.say("one")
    await scene.sees("one")
    other = await scene.ann.chat(scene.account)
    await scene.ann.say(other, "of a chat that the bot leaves")
    await scene.sees("one", "of a chat that the bot leaves")
    async with within(10):
        while len(replied) < 2:
            await asyncio.sleep(0.01)
    kept = keep_state(scene.server)
    gone = await scene.ann.chat(scene.account)
    await scene.ann.say(gone, "in a lost chat")
    await scene.sees("one", "of a chat that the bot leaves", "in a lost chat")
    await scene.say("lost", "lost too")
    await scene.sees("one", "of a chat that the bot leaves", "in a lost chat", "lost", "lost too")
    await scene.ann.delete(f"/chats/{other}/members/{scene.account.id}")
    await go_back(scene.server, kept)
    scene.seen.clear()
    assert await scene.ann.chat(scene.account) == gone
    await scene.say("new")
    await scene.ann.say(gone, "in another chat of the same id")
    await scene.ann.say(other, "new here")
    async with within(10):
        while len(scene.seen) < 3:
            await asyncio.sleep(0.01)
    assert sorted(scene.seen) == ["in another chat of the same id", "new", "new here"]
    await scene.stop(bot, task)
    assert await scene.answers(scene.chat_id) == ["re one", "re new"]
    assert await scene.answers(other) == ["re of a chat that the bot leaves", "re new here"]
    assert await scene.answers(gone) == ["re in another chat of the same id"]
    scene.seen.clear()
    await scene.start(scene.bot())
    await scene.say("after a start")
    await scene.sees("after a start")


async def test_an_answer_to_a_message_that_a_restore_undid_is_not_sent(scene: Scene) -> None:
    """A handler runs while the server goes back. The message that it has is gone, or is handled anew."""
    bot = scene.bot()
    gate = asyncio.Event()

    @bot.on_message
    async def reply(message: Message) -> None:
        await gate.wait()
        answer = await message.reply(f"re {message.content}")
        scene.seen.append(f"answered {answer is not None}")

    await scene.start(bot)
    await scene.say("kept")
    await scene.sees("kept")
    kept = keep_state(scene.server)
    await scene.say("lost")
    await go_back(scene.server, kept)
    await scene.say("has the id of what is lost")
    async with within(10):
        while bot.heard.epoch != "restored":
            await asyncio.sleep(0.01)
    gate.set()
    await scene.sees(
        *("kept", "answered False", "kept", "answered True"), "has the id of what is lost", "answered True"
    )
    assert await scene.answers(scene.chat_id) == ["re kept", "re has the id of what is lost"]


async def test_many_wait_for_a_slow_handler(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "WAITING_MAX", 3)
    bot = scene.bot()
    gate = asyncio.Event()

    @bot.command("/wait")
    async def wait(message: Message) -> None:
        await gate.wait()
        scene.seen.append("waited")

    await scene.start(bot)
    quick = await scene.ann.chat(scene.account)
    ids = await scene.say("/wait", "a", "b", "c", "d", "e")
    await scene.ann.patch(f"/messages/{ids[1]}", content="edited")
    await scene.ann.delete(f"/messages/{ids[2]}")
    await scene.ann.say(quick, "another chat")
    await scene.sees("another chat")
    gate.set()
    await scene.sees("another chat", "waited", "edited", "c", "d", "e")


async def test_a_restart_of_the_server_in_the_middle_of_a_handler(scene: Scene) -> None:
    bot = scene.bot()
    reached = asyncio.Event()

    @bot.command("/twice")
    async def twice(message: Message) -> None:
        await message.reply("one")
        reached.set()
        await scene.server.restart()
        await message.reply("two")

    await scene.start(bot)
    await scene.say("/twice", "goes on")
    await reached.wait()
    await scene.sees("goes on")
    page = await scene.ann.get(f"/chats/{scene.chat_id}/messages")
    said = [each["content"] for each in page["messages"] if each["sender_id"] == scene.account.id]
    assert said == ["one", "two"]


async def test_a_limit_makes_the_bot_wait(make_scene: Callable[..., Awaitable[Scene]]) -> None:
    scene = await make_scene(messages_per_s=20, messages_burst=5)
    bot = scene.bot()

    @bot.command("/many")
    async def many(message: Message) -> None:
        for number in range(12):
            answer = await message.reply(str(number))
            assert answer is not None
            assert answer.content == str(number)
        scene.seen.append("done")

    await scene.start(bot)
    await scene.say("/many")
    await scene.sees("done")


async def test_a_handler_that_ran_before_sends_nothing_twice(scene: Scene) -> None:
    """The process ended between the answer and the position."""
    bot = scene.bot()
    written: list[str] = []

    async def model() -> AsyncIterator[str]:
        written.append("written")
        yield "streamed"

    @bot.command("/both")
    async def both(message: Message) -> None:
        one = await message.reply("one")
        other = await message.reply_stream(model())
        scene.seen.append(f"{one and one.id} {other and other.id}")

    task = await scene.start(bot)
    await scene.say("/both")
    async with within(10):
        while not scene.seen:
            await asyncio.sleep(0.01)
    await scene.stop(bot, task)
    with sqlite3.connect(scene.cursor) as cursor:
        cursor.execute("UPDATE positions SET seq = seq - 3")
    cursor.close()
    again = scene.bot()
    again.command("/both")(both)
    await scene.start(again)
    async with within(10):
        while len(scene.seen) < 2:
            await asyncio.sleep(0.01)
    assert scene.seen[0] == scene.seen[1]
    assert written == ["written"]


async def test_a_bot_that_is_added_again_begins_anew(scene: Scene) -> None:
    await scene.start(scene.bot())
    await scene.say("before")
    await scene.sees("before")
    await scene.ann.delete(f"/chats/{scene.chat_id}/members/{scene.account.id}")
    await scene.say("without it")
    await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=scene.account.id)
    await scene.say("after")
    await scene.sees("before", "after")


async def test_typing_is_shown(scene: Scene) -> None:
    bot = scene.bot()

    @bot.command("/type")
    async def type_(message: Message) -> None:
        async with message.typing():
            await asyncio.sleep(0.05)
        scene.seen.append("typed")

    client = await scene.ann.joined(scene.chat_id)
    await scene.start(bot)
    await scene.say("/type")
    assert [(await client.next("typing"))["is_typing"] for _ in range(2)] == [True, False]
    await scene.sees("typed")


async def test_a_token_that_ends_ends_the_bot(scene: Scene) -> None:
    task = await scene.start(scene.bot())
    await scene.ann.delete(f"/bots/{scene.account.id}")
    with pytest.raises(Ended, match="renewed"):
        await asyncio.wait_for(task, 10 * SLACK)
    with pytest.raises(Ended, match="does not work"):
        await asyncio.wait_for(scene.bot().start(), 10 * SLACK)


async def test_two_processes_of_a_bot_do_not_run_side_by_side(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vestnik_bot.cursor.LOCK_S", 0.1)
    await scene.start(scene.bot())
    with pytest.raises(OSError, match="does this bot run already"):
        await scene.bot().start()


async def test_sigterm_lets_a_handler_end(server: Server, start_bot: StartBot) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot)
    client = await ann.joined(chat_id)
    program = await start_bot("streaming.py", bot, WORD_S="0.1")
    await ann.say(chat_id, "hello")
    assert (await client.next("message_stream"))["content"]
    await program.stop()
    assert (await said_by(client, bot.id))["content"].startswith("You said")
    program = await start_bot("echo.py", bot)
    await program.stop()
    await client.nothing_more("new_message")


async def test_a_bad_token_is_one_line(server: Server, start_bot: StartBot) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    bot.token = "vb_" + 43 * "x"
    program = await start_bot("echo.py", bot, wait=False)
    assert await program.ended() == 1
    assert program.log == "vestnik_bot: the token does not work\n"


async def test_an_answer_of_which_the_model_finds_no_end_is_cut(scene: Scene) -> None:
    bot = scene.bot()

    async def model() -> AsyncIterator[str]:
        for _ in range(3):
            yield 4_000 * "x"

    @bot.command("/talk")
    async def talk(message: Message) -> None:
        answer = await message.reply_stream(model())
        scene.seen.append(answer.content if answer else "none")

    await scene.start(bot)
    await scene.say("/talk")
    await scene.sees(9_999 * "x" + "…")


@pytest.mark.parametrize(
    ("url", "token", "why"),
    [
        ("localhost:8000", "vb_x", "VESTNIK_URL is 'localhost:8000'"),
        ("https://:8000", "vb_x", "VESTNIK_URL"),
        ("http://[::1", "vb_x", "VESTNIK_URL"),
        ("http://localhost:99999", "vb_x", "VESTNIK_URL"),
        ("http://localhost:8000", " \n", "VESTNIK_TOKEN is not set"),
        ("http://localhost:8000", "vb_x\ny", "does not work"),
        ("http://localhost:8000", "vb_…", "does not work"),
    ],
)
async def test_what_cannot_work_is_said_at_once(
    url: str, token: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VESTNIK_URL", url)
    monkeypatch.setenv("VESTNIK_TOKEN", token)
    with pytest.raises(Ended, match=re.escape(why)):
        await Bot().start()


async def test_blanks_around_the_address_and_the_token_do_no_harm(scene: Scene) -> None:
    bot = Bot(f" {scene.server.url}/\n", f"{scene.account.token}\n", cursor=scene.cursor)
    await scene.start(bot)
    assert bot.me.id == scene.account.id


def test_what_cannot_be_a_handler_is_refused() -> None:
    bot = Bot("http://localhost", "vb_x")
    with pytest.raises(TypeError, match="async"):
        bot.on_message(lambda message: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match="one word"):
        bot.command("two words")
    assert logging.getLogger("vestnik_bot").handlers == []
