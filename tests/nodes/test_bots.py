"""Bots on two nodes: a token works, and ends, wherever its bot is."""

import asyncio
from typing import Any

import pytest

from domain.decisions.bots import BOTS_MAX
from tests.clients.bots import bot_of, make_bot
from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.nodes.conftest import Pair, content_of
from tests.patience import within

pytestmark = pytest.mark.cluster


async def test_a_token_works_at_every_node_at_once_and_ends_at_every_node(pair: Pair) -> None:
    (ann,) = await pair.people("ann")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot)
    there = await pair.there(bot).joined(chat_id)
    here = await bot.joined(chat_id)
    await pair.there(bot).say(chat_id, "from there")
    assert content_of(await here.next("new_message")) == "from there"
    renewed = await pair.there(ann).post(f"/bots/{bot.id}/token")
    async with within(1):
        assert await here.closed() == 4403
        assert await there.closed() == 4403
    for one in (bot, pair.there(bot)):
        assert_error(await one.request("GET", "/users/me"), 401, "unauthenticated")
        assert await (await one.open()).closed() == 4401
    bot.token = renewed["token"]
    for one in (bot, pair.there(bot)):
        assert (await one.get("/users/me"))["id"] == bot.id
        await one.connect()


async def test_a_ban_at_one_node_stops_the_bots_at_the_other_and_the_unban_brings_them_back(
    pair: Pair,
) -> None:
    (ann,) = await pair.people("ann")
    bot = await make_bot(ann)
    clients = [await bot.connect(), await pair.there(bot).connect()]
    assert (await pair.two.command_line("user", "ban", "ann"))[0] == 0
    async with within(1):
        assert [await client.closed() for client in clients] == [4403, 4403]
    for one in (bot, pair.there(bot)):
        assert await (await one.open()).closed() == 4401
    assert (await pair.one.command_line("user", "unban", "ann"))[0] == 0
    there = pair.there(ann)
    await there.login("ann")
    bot.token = (await there.post(f"/bots/{bot.id}/token"))["token"]
    await bot.connect()
    await pair.there(bot).connect()
    await there.post("/users/me/delete", password=PASSWORD)
    assert await (await bot.open()).closed() == 4401


async def test_of_25_at_once_at_both_nodes_20_are_made(pair: Pair) -> None:
    (ann,) = await pair.people("ann")
    there = pair.there(ann)

    async def make(number: int) -> tuple[int, Any]:
        owner = (ann, there)[number % 2]
        return await owner.request("POST", "/bots", json={"username": f"bot{number}"})

    answers = await asyncio.gather(*(make(number) for number in range(BOTS_MAX + 5)))
    assert sorted(status for status, _ in answers) == [201] * BOTS_MAX + [409] * 5
    for _, body in (answer for answer in answers if answer[0] == 201):
        assert (await pair.there(bot_of(ann, body)).get("/users/me"))["id"] == body["bot"]["id"]
