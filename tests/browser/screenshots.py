"""The pictures of the README: `python -m tests.browser.screenshots`, with the client built."""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.async_api import expect

from tests.browser.chromium import chromium
from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server, serving

EVENING = 18

IMAGES = Path(__file__).parents[2] / "docs" / "images"

NAMES = {
    "vera": "Vera Lindqvist",
    "tom": "Tom Okafor",
    "mina": "Мина Орлова",
    "leo": "Leo Brandt",
    "ines": "Inês Duarte",
}

WALK = [
    ("tom", "Trains are back to normal. I would take the 8:40, then we are at the lake by ten.", None),
    ("mina", "8:40 works for me. Who brings what?", None),
    ("vera", "Bread, cheese and *far* too many plums.", None),
    ("leo", "I have the map, and the small stove if somebody wants tea.", None),
    ("mina", "Чай — да! Возьму чашки.", 3),
    ("tom", "The path on the north side is closed, by the way: https://example.org/paths/north-shore", None),
    ("ines", "Then the long way round, @vera. **More lake** for the same ticket.", 5),
    ("vera", "Perfect. See you on platform 2, near the front.", None),
]

REACTIONS = [
    (2, "🍑", "tom"),
    (2, "🍑", "ines"),
    (4, "🫖", "vera"),
    (4, "❤️", "leo"),
    (6, "👍", "tom"),
    (6, "👍", "mina"),
]

OTHERS = [
    ("Reading circle", "ines", "Chapter four by Sunday, and no spoilers."),
    ("Новости дома", "mina", "Лифт починили."),
    ("Bicycle kitchen", "leo", "The truing stand is free on Thursday."),
]


class Clock:
    """The real clock, set back by some hours at first, so that the messages have different times."""

    def __init__(self) -> None:
        self.behind = timedelta(hours=5)

    def now(self) -> datetime:
        return datetime.now(UTC) - self.behind

    def unix_s(self) -> float:
        return self.now().timestamp()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def call_later(self, delay_s: float, callback: Any) -> Any:
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


async def seed(server: Server) -> tuple[dict[str, Person], int]:
    """Creates the people and the chat of the pictures."""
    people = {name: await server.person(name, display_name=shown) for name, shown in NAMES.items()}
    vera = people["vera"]
    everybody = [person for name, person in people.items() if name != "vera"]
    for name, author, text in OTHERS:
        chat_id = await people[author].chat(vera, *everybody, name=name)
        await people[author].say(chat_id, text)
        server.clock.behind -= timedelta(minutes=37)
        if author != "ines":
            await vera.post(f"/chats/{chat_id}/read")
    walk = await people["tom"].chat(vera, *everybody, name="Saturday walk")
    said: list[Any] = []
    for author, text, answers in WALK:
        more = {} if answers is None else {"reply_to": said[answers]["id"]}
        said.append(await people[author].say(walk, text, **more))
        server.clock.behind -= timedelta(minutes=7)
    for index, emoji, name in REACTIONS:
        await people[name].post(f"/messages/{said[index]['id']}/reactions/{quote(emoji)}")
    await people["tom"].post(f"/messages/{said[0]['id']}/pin")
    await vera.post(f"/chats/{walk}/read")
    private = await people["leo"].chat(vera, chat_type="private")
    for text in ("Do you still have my pump?", "No hurry."):
        await people["leo"].say(private, text)
    server.clock.behind = timedelta()
    for name in ("tom", "mina", "leo"):
        await people[name].joined(walk)
    return people, walk


def evening() -> str:
    """A time zone in which it is about six in the evening now."""
    offset_h = (EVENING - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-offset_h:+d}"


async def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder)) as serve, chromium() as browser:
            server = await serve(clock=Clock())
            people, walk = await seed(server)
            (typing,) = people["mina"].clients

            async def picture(name: str, **options: Any) -> None:
                window = await Window.open(
                    browser, server.url, people["vera"], timezone_id=evening(), **options
                )
                await window.goto(f"/chats/{walk}")
                await window.shown(WALK[-1][1])
                await window.page.wait_for_load_state("networkidle")
                await typing.done("typing", chat_id=walk, is_typing=True)
                await expect(window.page.get_by_text("is typing…")).to_be_visible()
                shot = IMAGES / f"{name}.png"
                await window.page.screenshot(path=shot, animations="disabled")
                await typing.done("typing", chat_id=walk, is_typing=False)
                sys.stdout.write(f"{shot}: {shot.stat().st_size / 1024:.0f} KiB\n")
                await window.close()

            await picture("desktop", viewport={"width": 1180, "height": 740})
            phone = {"viewport": {"width": 390, "height": 740}, "has_touch": True, "is_mobile": True}
            await picture("phone-dark", color_scheme="dark", **phone)


if __name__ == "__main__":
    asyncio.run(main())
