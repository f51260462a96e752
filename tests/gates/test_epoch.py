"""Positions are of one epoch of the data: with another one there is a gap."""

import asyncio
from pathlib import Path
from uuid import uuid4

from tests.clients.shapes import assert_error_frame
from tests.conftest import Server, serving


async def test_the_epoch_stays_over_restarts_and_is_the_same_for_all(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    epochs = {(await (await person.open()).next())["epoch"] for person in (ann, bob)}
    await server.restart()
    epochs.add((await (await ann.open()).next())["epoch"])
    (epoch,) = epochs
    assert type(epoch) is str
    assert len(epoch) >= 16


async def test_a_position_of_this_epoch_is_replayed_and_one_of_another_is_a_gap(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    for number in range(3):
        await ann.say(chat_id, str(number))
    epoch = (await (await bob.open()).next())["epoch"]
    client = await bob.connect()
    ack = await client.done("join_chat", chat_id=chat_id, after_seq=1, epoch=epoch)
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (3, 2, False)
    assert [frame["seq"] for frame in await client.drain() if frame["type"] == "new_message"] == [2, 3]
    for other in ("another", "", epoch.upper() + "x", "x" * 1000):
        for position in ({"after_seq": 0}, {"after_seq": 3}, {"after_seq": 2**53 - 1}, {}):
            ack = await client.done("join_chat", chat_id=chat_id, epoch=other, **position)
            assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (3, 0, True)
    assert not [frame for frame in await client.drain() if "seq" in frame]
    await ann.say(chat_id, "live")
    assert (await client.next("new_message"))["seq"] == 4
    ack = await client.done("join_chat", chat_id=chat_id, epoch=epoch)
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (4, 0, False)
    eve = await (await server.person("eve")).connect()
    frame = await eve.command("join_chat", chat_id=chat_id, after_seq=0, epoch="another")
    assert_error_frame(frame, "not_found", id=frame["id"])


async def test_a_position_that_another_server_has_given_is_no_gap(mongo_url: str, tmp_path: Path) -> None:
    """This server has the chat in memory, and learns that it is behind."""
    url = f"{mongo_url}/vestnik_test_{uuid4().hex[:16]}"
    async with serving(tmp_path) as serve:
        one, two = await serve(database_url=url), await serve(database_url=url)
        assert one.chat_app.context.store.epoch == two.chat_app.context.store.epoch
        ann = await one.person("ann")
        chat_id = await ann.chat()
        ann.ws_url = two.ws_url
        here = await ann.joined(chat_id)
        for number in range(3):
            last = await ann.say(chat_id, str(number))
        ack = await (await ann.connect()).done("join_chat", chat_id=chat_id, after_seq=last["seq"])
        assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (3, 0, False)
        assert [(await here.next("new_message"))["seq"] for _ in range(3)] == [1, 2, 3]
        ack = await here.done("join_chat", chat_id=chat_id, after_seq=last["seq"] + 1)
        assert (ack["replayed"], ack["gap"]) == (0, True)
        await asyncio.gather(one.stop(), two.stop())
