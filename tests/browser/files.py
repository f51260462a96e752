"""Files for browsers: pictures that look like something, sounds, videos; and how they come into a window."""

import asyncio
import base64
import io
import math
import struct
import wave
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw
from playwright.async_api import Error, FilePayload, Locator, Route, expect

from tests.browser.window import Window
from tests.clients.files import form
from tests.clients.people import Person


@dataclass(frozen=True)
class Made:
    """A file as a user has it."""

    name: str
    content_type: str
    content: bytes

    @property
    def payload(self) -> FilePayload:
        """For a file chooser."""
        return {"name": self.name, "mimeType": self.content_type, "buffer": self.content}

    @property
    def sent(self) -> dict[str, str]:
        """For a script of the page."""
        content = base64.b64encode(self.content).decode()
        return {"name": self.name, "type": self.content_type, "content": content}


def landscape(width: int = 1200, height: int = 800, hue: int = 0) -> Image.Image:
    """A sky, a sun, hills and water."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for y in range(height):
        share = y / height
        draw.line((0, y, width, y), fill=_mixed((250, 190, 120), (70, 110, 170), share, hue))
    radius = min(width, height) // 9
    middle = (width * 2 // 3, height // 3)
    box = (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
    draw.ellipse(box, fill=_mixed((255, 240, 200), (255, 240, 200), 0, hue))
    for layer in range(3):
        top = height * (0.5 + 0.12 * layer)
        line = [
            (x, top + math.sin(x / width * (4 + layer * 3) + layer * 2 + hue) * height * 0.06)
            for x in range(0, width + 8, 8)
        ]
        colour = _mixed((90, 120, 110), (25, 45, 50), layer / 2, hue)
        draw.polygon([(0, height), *line, (width, height)], fill=colour)
    return image


def _mixed(
    one: tuple[int, int, int], other: tuple[int, int, int], share: float, hue: int
) -> tuple[int, int, int]:
    mixed = [round(a + (b - a) * share) for a, b in zip(one, other, strict=True)]
    turned = mixed[hue % 3 :] + mixed[: hue % 3]
    return (turned[0], turned[1], turned[2])


def photo(name: str = "lake.jpg", width: int = 1200, height: int = 800, hue: int = 0) -> Made:
    file = io.BytesIO()
    landscape(width, height, hue).save(file, "JPEG", quality=80)
    return Made(name, "image/jpeg", file.getvalue())


def screenshot(name: str = "image.png", width: int = 640, height: int = 400) -> Made:
    """Browsers call what is pasted `image.png`."""
    file = io.BytesIO()
    landscape(width, height, 2).save(file, "PNG")
    return Made(name, "image/png", file.getvalue())


def sound(name: str = "note.wav", seconds: float = 1.0) -> Made:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        tones = (int(9000 * math.sin(2 * math.pi * 440 * n / 8000)) for n in range(int(8000 * seconds)))
        wav.writeframes(b"".join(struct.pack("<h", tone) for tone in tones))
    return Made(name, "audio/wav", file.getvalue())


def document(name: str = "minutes.pdf", size: int = 20_000) -> Made:
    return Made(name, "application/pdf", b"%PDF-1.7\n" + b"x" * (size - 9))


_RECORD = """async () => {
  const canvas = document.createElement('canvas')
  canvas.width = 320
  canvas.height = 180
  const context = canvas.getContext('2d')
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm;codecs=vp8' })
  const pieces = []
  recorder.ondataavailable = ({ data }) => pieces.push(data)
  recorder.start()
  for (let frame = 0; frame < 12; frame++) {
    context.fillStyle = `hsl(${frame * 25} 60% 45%)`
    context.fillRect(0, 0, 320, 180)
    await new Promise((done) => setTimeout(done, 50))
  }
  await new Promise((done) => { recorder.onstop = done; recorder.stop() })
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer())
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}"""


async def recorded(window: Window, name: str = "clip.webm") -> Made:
    """A video that the browser records."""
    return Made(name, "video/webm", base64.b64decode(await window.page.evaluate(_RECORD)))


class Gate:
    """Holds requests up: `await page.route(pattern, gate.hold)`."""

    def __init__(self) -> None:
        self.held = 0
        self._opened = asyncio.Event()

    async def hold(self, route: Route) -> None:
        self.held += 1
        await self._opened.wait()
        with suppress(Error):  # the page may have given it up
            await route.continue_()

    async def waited(self, count: int) -> None:
        """Returns when as many requests have come."""
        async with asyncio.timeout(30):
            while self.held < count:
                await asyncio.sleep(0.02)

    def open(self) -> None:
        """Lets all requests through from now on."""
        self._opened.set()


_TRANSFER = """
  const transfer = new DataTransfer()
  for (const { name, type, content } of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))
    transfer.items.add(new File([bytes], name, { type }))
  }
"""


async def paste(target: Locator, *files: Made) -> None:
    """Pastes files, as from the clipboard."""
    await target.evaluate(
        f"""(element, files) => {{{_TRANSFER}
  element.dispatchEvent(new ClipboardEvent('paste', {{ clipboardData: transfer, bubbles: true, cancelable: true }}))
}}""",
        [file.sent for file in files],
    )


async def drag(target: Locator, event: str, *files: Made) -> None:
    """An event of dragging: `dragover`, `drop`."""
    await target.evaluate(
        f"""(element, {{ files, event }}) => {{{_TRANSFER}
  element.dispatchEvent(new DragEvent(event, {{ dataTransfer: transfer, bubbles: true, cancelable: true }}))
}}""",
        {"files": [file.sent for file in files], "event": event},
    )


def tray(window: Window) -> Locator:
    """The files of the next message."""
    return window.page.get_by_role("region", name="Attached files")


async def choose(window: Window, *files: Made, taken: int | None = None) -> None:
    """Adds files by the button, and waits until those that are taken (None: all) are in the next message."""
    items = window.page.locator(".tray li")
    before = await items.count()
    field = window.page.locator("form.composer input[type=file]")
    await field.set_input_files([file.payload for file in files])
    await expect(items).to_have_count(before + (len(files) if taken is None else taken))


async def send(person: Person, chat_id: int, *files: Made, content: str = "", **more: Any) -> Any:
    """A message with files, over REST."""
    parts: Sequence[tuple[str, bytes]] = [(file.name, file.content) for file in files]
    data = form(*parts, chat_id=chat_id, **({"content": content} if content else {}), **more)
    status, body = await person.request("POST", "/messages/upload", data=data)
    assert status == 201, (status, body)
    return body
