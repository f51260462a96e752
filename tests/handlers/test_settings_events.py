"""`chat_settings`: the last one that a connection gets says what holds, however loads and changes cross."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.models import Member, OwnSettings
from domain.moderation import MemberMuted
from domain.own_settings import OwnSettingsChanged
from tests.handlers.scene import Scene
from tests.storage.world import START

ANN, BOB, CHAT = 1, 2, 1

LATER = START + timedelta(days=36500)
"""A mute until then is not over."""


class Reads:
    """A store whose reads of a member wait until the test lets them go on."""

    def __init__(self, scene: Scene) -> None:
        self.member = scene.member(BOB)
        self.waiting: list[asyncio.Future[None]] = []
        scene.store.member = self.read  # type: ignore[method-assign]

    async def read(self, chat_id: int, user_id: int) -> Member:
        found = self.member
        self.waiting.append(asyncio.get_running_loop().create_future())
        await self.waiting[-1]
        return found


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    scene.chat(CHAT, ANN, BOB)
    await scene.connect(ANN)
    await scene.connect(BOB)
    scene.forget_events()
    yield scene
    await scene.close()


def told(scene: Scene) -> list[Any]:
    return [
        (payload["favorite"], payload["muted_until"])
        for name, payload in scene.hub.events[f"c{BOB}"]
        if name == "chat_settings"
    ]


async def test_a_mute_is_told_with_what_the_member_has_set(scene: Scene) -> None:
    reads = Reads(scene)
    muted = replace(reads.member, muted_until=LATER)
    reads.member = replace(muted, settings=OwnSettings(favorite=True))
    await scene.publish(MemberMuted(CHAT, muted, ANN, START))
    assert told(scene) == []
    reads.waiting[0].set_result(None)
    await scene.settle()
    assert told(scene) == [(True, LATER)]
    assert "chat_settings" not in scene.hub.names(f"c{ANN}")


async def test_what_was_read_before_a_change_is_not_told_after_it(scene: Scene) -> None:
    reads = Reads(scene)
    muted = reads.member = replace(reads.member, muted_until=LATER)
    await scene.publish(MemberMuted(CHAT, muted, ANN, START))
    reads.member = replace(muted, settings=OwnSettings(favorite=True))
    await scene.publish(OwnSettingsChanged(CHAT, reads.member))
    reads.waiting[0].set_result(None)
    await scene.settle()
    reads.waiting[1].set_result(None)
    await scene.settle()
    assert told(scene) == [(True, LATER)] * 2


async def test_nothing_is_read_for_a_member_who_is_not_connected(scene: Scene) -> None:
    reads = Reads(scene)
    await scene.publish(MemberMuted(CHAT, replace(scene.member(3), muted_until=LATER), ANN, START))
    assert reads.waiting == []
