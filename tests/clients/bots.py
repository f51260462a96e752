"""Bots, as their owners make them."""

from typing import Any

from tests.clients.people import Person


def bot_of(owner: Person, made: Any) -> Person:
    """The client of a bot that `POST /bots` has answered; it connects as its owner does, and its connections are closed
    with theirs."""
    bot = Person(owner.http, owner.url, owner.ws_url, made["bot"]["username"], owner.wire)
    bot.id, bot.token, bot.clients = made["bot"]["id"], made["token"], owner.clients
    return bot


async def make_bot(owner: Person, username: str = "echo", **more: Any) -> Person:
    """A new bot of the owner, which has its token."""
    return bot_of(owner, await owner.post("/bots", username=username, **more))
