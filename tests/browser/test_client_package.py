"""packages/vestnik-client as `npm pack` makes it, and examples/vue, which uses it, in a browser."""

import asyncio
import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.clients.people import Person
from tests.clients.programs import need
from tests.clients.rest import PASSWORD
from tests.conftest import Serve

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
BUILD_S = 300.0

CONSUMER = """
import { createApi, createTimeline, websocket, RequestError, type Message } from 'vestnik-client'
import { useChatWebSocket } from 'vestnik-client/vue'

const timeline = createTimeline(1, { api: createApi({ token: () => 'T' }), websocket })
const contents: string[] = timeline.state.messages.map((message: Message) => message.content)
const { isConnected } = useChatWebSocket(1, { join: timeline.follow })
const online: boolean = isConnected.value
new RequestError({ code: 'not_found' }).retryable
// @ts-expect-error a chat has a number
createTimeline('one', { api: createApi(), websocket })
export { contents, online }
"""


async def run(*command: str | Path, cwd: Path) -> str:
    """The output of a command that has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(BUILD_S):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


def link(modules: Path, names: Sequence[str]) -> None:
    """Installs packages that the web client has."""
    for name in names:
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).symlink_to(FRONTEND / "node_modules" / name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """examples/vue with its packages, vestnik-client from its tarball."""
    need("npm")
    folder = tmp_path_factory.mktemp("package")
    made = await run(
        "npm", "pack", "--json", "--pack-destination", folder, cwd=ROOT / "packages" / "vestnik-client"
    )
    (packed,) = json.loads(made[made.index("[\n") :])
    names = {file["path"] for file in packed["files"]}
    assert {"package.json", "README.md", "dist/index.js", "dist/vue.js"} <= names
    assert not [name for name in names if name.startswith("src/")]
    project = folder / "vue"
    shutil.copytree(ROOT / "examples" / "vue", project, ignore=shutil.ignore_patterns("node_modules", "dist"))
    modules = project / "node_modules"
    link(modules, ("vue", "@vue", "vite", "@vitejs", "typescript"))
    with tarfile.open(folder / packed["filename"]) as tarball:
        tarball.extractall(modules, filter="data")
    (modules / "package").rename(modules / "vestnik-client")
    return project


@pytest.mark.long
async def test_its_types_are_complete(project: Path) -> None:
    (project / "consumer.ts").write_text(CONSUMER)
    options = (
        "--noEmit",
        "--strict",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--target",
        "es2022",
    )
    await run(
        "node", "node_modules/typescript/bin/tsc", *options, "--lib", "es2023,dom", "consumer.ts", cwd=project
    )


async def log_in(page: Page, person: Person, chat_id: int) -> None:
    for label, value in (("Username", person.username), ("Password", PASSWORD), ("Chat", str(chat_id))):
        await page.get_by_label(label).fill(value)
    await page.get_by_role("button", name="Log in").click()


@pytest.mark.long
async def test_the_example_chats_recovers_and_sends_what_waited(
    project: Path, serve: Serve, browser: Browser
) -> None:
    await run("node", "node_modules/vite/bin/vite.js", "build", cwd=project)
    server = await serve(web_client_dir=project / "dist")
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await ann.say(chat_id, "before")
    context = await browser.new_context()
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(server.url)
    await log_in(page, bob, chat_id)
    items = page.get_by_role("listitem")
    await expect(items).to_have_text([f"{ann.id}: before"])
    await expect(page.get_by_text("Online")).to_be_visible()
    anns = await ann.joined(chat_id)
    await anns.done("typing", chat_id=chat_id, is_typing=True)
    await expect(page.get_by_text("Somebody is typing")).to_be_visible()
    await page.get_by_label("Message").fill("from the page")
    await page.get_by_role("button", name="Send").click()
    await expect(items).to_have_text([f"{ann.id}: before", f"{bob.id}: from the page"])
    await server.stop()
    await expect(page.get_by_text("Offline")).to_be_visible()
    await page.get_by_label("Message").fill("written while the server is away")
    await page.get_by_role("button", name="Send").click()
    await expect(items.nth(2)).to_have_text("written while the server is away (sending)")
    await server.start()
    await ann.say(chat_id, "said meanwhile")
    await expect(items).to_have_count(4)
    contents = [one["content"] for one in (await ann.get(f"/chats/{chat_id}/messages"))["messages"]]
    assert sorted(contents[2:]) == ["said meanwhile", "written while the server is away"]
    await expect(items).to_have_text(
        [
            f"{ann.id if content in ('before', 'said meanwhile') else bob.id}: {content}"
            for content in contents
        ]
    )
    assert errors == []
    await context.close()
