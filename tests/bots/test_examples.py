"""Each example of examples/bots, run as a reader runs it."""

import asyncio
from pathlib import Path

import pytest

from tests.bots.conftest import StartBot, said_by
from tests.bots.program import EXAMPLES
from tests.clients.bots import make_bot
from tests.conftest import Server
from tests.patience import within

LINES_MAX = 39


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text("utf8").splitlines()) <= LINES_MAX


def test_the_plain_echo_takes_fifteen_lines_more() -> None:
    plain, echo = (
        len((EXAMPLES / name).read_text("utf8").splitlines()) for name in ("plain_echo.py", "echo.py")
    )
    assert plain - echo <= 15


@pytest.mark.parametrize("name", ["echo.py", "plain_echo.py"])
async def test_echo_answers_people_once_over_restarts(name: str, server: Server, start_bot: StartBot) -> None:
    ann = await server.person("ann")
    bot, other = await make_bot(ann), await make_bot(ann, "other")
    chat_id = await ann.chat(bot, other)
    client = await ann.joined(chat_id)
    program = await start_bot(name, bot, wait=name == "echo.py")
    await other.say(chat_id, "from a bot")
    first = await ann.say(chat_id, "  one\ntwo ")
    answer = await said_by(client, bot.id)
    assert (answer["content"], answer["reply_to"]) == ("  one\ntwo ", first["id"])
    await program.kill()
    messages = [await ann.say(chat_id, f"while it was away {number}") for number in range(3)]
    await ann.delete(f"/messages/{messages[1]['id']}")
    await ann.patch(f"/messages/{messages[0]['id']}", content="edited")
    program = await start_bot(name, bot, wait=False)
    assert [(await said_by(client, bot.id))["content"] for _ in range(2)] == [
        "edited",
        messages[2]["content"],
    ]
    await ann.say(chat_id, "live")
    assert (await said_by(client, bot.id))["content"] == "live"
    later = await bot.chat(ann)
    message = await ann.say(later, "in a new chat")
    async with within(10):
        while len(page := (await ann.get(f"/chats/{later}/messages"))["messages"]) < 2:
            await asyncio.sleep(0.02)
    assert page[1]["reply_to"] == message["id"]
    await client.nothing_more("new_message")


async def test_a_reminder_comes_after_a_restart(server: Server, start_bot: StartBot) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot)
    client = await ann.joined(chat_id)
    program = await start_bot("reminder.py", bot)
    await ann.say(chat_id, "/remind soon tea")
    assert (await said_by(client, bot.id))["content"] == "Usage: /remind SECONDS TEXT"
    await ann.say(chat_id, "/remind 1 tea  for two")
    assert (await said_by(client, bot.id))["content"] == "In 1 s: tea  for two"
    await program.kill()
    await program.start()
    assert (await said_by(client, bot.id))["content"] == "Reminder: tea  for two"
    await program.stop()
    await client.nothing_more("new_message")


async def test_a_poll_counts_reactions(server: Server, start_bot: StartBot) -> None:
    ann, bob = await server.people("ann", "bob")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot, bob)
    client = await ann.joined(chat_id)
    await start_bot("poll.py", bot)
    await ann.say(chat_id, "/poll Lunch? Soup, Pizza")
    poll = await said_by(client, bot.id)
    assert poll["content"] == "Lunch?\n🍏 Soup\n🍌 Pizza"
    assert {(await client.next("reaction_added"))["emoji"] for _ in range(2)} == {"🍏", "🍌"}
    for person in (ann, bob):
        await person.post(f"/messages/{poll['id']}/reactions/🍌")
    await bob.say(chat_id, "/COUNT@echo", reply_to=poll["id"])
    assert (await said_by(client, bot.id))["content"] == "Lunch?\n🍏 Soup: 0\n🍌 Pizza: 2"
    for words, usage in (
        ("/poll", "Usage: /poll QUESTION? ONE, OTHER"),
        ("/count", "Say /count in reply to a poll"),
    ):
        await ann.say(chat_id, words)
        assert (await said_by(client, bot.id))["content"] == usage
    await ann.say(chat_id, "/count@somebody")
    await ann.say(chat_id, "/count", reply_to=poll["id"])
    assert (await said_by(client, bot.id))["content"].startswith("Lunch?")


async def test_a_streamed_answer_grows(server: Server, start_bot: StartBot) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot)
    client = await ann.joined(chat_id)
    await start_bot("streaming.py", bot, WORD_S="0.05")
    await ann.say(chat_id, "hello")
    answer = await said_by(client, bot.id)
    assert answer["content"].strip() == "You said “hello”. I have thought about it, and I agree."
    shown = [frame for frame in client.take() if frame["type"] == "message_stream"]
    assert len(shown) >= 2
    for frame in shown:
        assert frame["stream_id"] == answer["client_id"]
        assert answer["content"].startswith(frame["content"])


async def test_a_relay_carries_both_ways(server: Server, start_bot: StartBot) -> None:
    ann, bob = await server.people("ann", "bob")
    bot = await make_bot(ann)
    one, other = await ann.chat(bot), await bob.chat(bot)
    ann_hears, bob_hears = await ann.joined(one), await bob.joined(other)
    await start_bot("relay.py", bot, VESTNIK_CHATS=f"{one},{other}")
    await ann.say(one, "hello")
    assert (await said_by(bob_hears, bot.id))["content"] == "ann: hello"
    await bob.say(other, "hello yourself")
    assert (await said_by(ann_hears, bot.id))["content"] == "bob: hello yourself"


def test_the_page_shows_the_example() -> None:
    page = (EXAMPLES.parents[1] / "docs" / "bots.md").read_text("utf8")
    assert (EXAMPLES / "echo.py").read_text("utf8").partition('"""\n')[2].strip() in page
