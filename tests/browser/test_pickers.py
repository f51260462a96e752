"""Choosing people: Enter picks and never sends, and one click too many adds nobody."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Request, expect

from tests.browser.conftest import Windows
from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server


class Scene:
    """Ann, a group of hers, and people whose names begin with user."""

    ann: Person
    group: int
    window: Window

    @property
    def dialog(self) -> Locator:
        return self.window.page.get_by_role("dialog")

    @property
    def search(self) -> Locator:
        return self.dialog.get_by_label("Search for people")

    def row(self, username: str) -> Locator:
        return self.dialog.get_by_role("option").filter(has_text=f"@{username}")

    def kind(self, name: str) -> Locator:
        return self.dialog.get_by_text(name, exact=True)

    async def chats(self) -> list[tuple[str, str | None, set[str]]]:
        """Type, name and usernames of Ann's chats except the group."""
        found = []
        for chat in (await self.ann.get("/chats"))["chats"]:
            if chat["id"] != self.group:
                members = (await self.ann.get(f"/chats/{chat['id']}/members"))["members"]
                found.append((chat["chat_type"], chat["name"], {one["user"]["username"] for one in members}))
        return found

    async def members(self) -> set[str]:
        members = (await self.ann.get(f"/chats/{self.group}/members"))["members"]
        return {one["user"]["username"] for one in members}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(module_server: Server, module_windows: Windows) -> Scene:
    scene = Scene()
    usernames = ("ann", "dmitry", "carol", *(f"user{n:02}" for n in range(1, 9)))
    scene.ann, *_ = await module_server.people(*usernames)
    scene.window = await module_windows(module_server, scene.ann)
    return scene


@pytest_asyncio.fixture(loop_scope="session")
async def scene(stage: Scene, kept_windows: Windows) -> Scene:
    """Ann's window, where she has one chat, in which she is alone."""
    await stage.window.page.goto("about:blank")  # else it might ask for a chat that is gone
    for chat in (await stage.ann.get("/chats"))["chats"]:
        await stage.ann.delete(f"/chats/{chat['id']}")
    stage.group = await stage.ann.chat(name="Lobby")
    stage.window.console.clear()
    await stage.window.goto(f"/chats/{stage.group}")
    await stage.window.connected()
    await expect(stage.window.page.get_by_role("heading", name="Lobby", level=1)).to_be_visible()
    return stage


async def new_chat(scene: Scene, kind: str) -> None:
    await scene.window.button("New chat").click()
    await expect(scene.search).to_be_focused()
    if kind != "Person":
        await scene.kind(kind).click()
        await scene.dialog.get_by_label("Name", exact=True).fill("Made")


async def add_people(scene: Scene) -> None:
    await scene.window.button("About this chat").click()
    await scene.dialog.get_by_role("button", name="Add people").click()
    await expect(scene.search).to_be_focused()
    await expect(scene.row("user05")).to_be_visible()


@pytest.mark.parametrize("kind", ["Group", "Channel"])
async def test_enter_picks_and_only_the_button_creates(scene: Scene, kind: str) -> None:
    await new_chat(scene, kind)
    await scene.search.press_sequentially("dmi")
    await scene.search.press("Enter")  # before the results are there
    await expect(scene.row("dmitry")).to_have_attribute("aria-selected", "true")
    await scene.search.press_sequentially("user")
    await expect(scene.row("user01")).to_be_visible()
    await expect(scene.row("dmitry")).to_have_count(0)
    await scene.search.press("ArrowDown")
    await scene.search.press("ArrowDown")
    await scene.search.press("ArrowUp")
    await scene.search.press("Enter")
    await expect(scene.row("user02")).to_have_attribute("aria-selected", "true")
    await scene.search.fill("nobody of that name")
    await expect(scene.dialog.get_by_text("Nobody found")).to_be_visible()
    await scene.search.press("Enter")
    await scene.dialog.get_by_label("Name", exact=True).press("Enter")
    await expect(scene.search).to_be_focused()
    await scene.dialog.get_by_role("radio").first.focus()
    await scene.window.page.keyboard.press("Enter")
    assert await scene.chats() == []
    await scene.window.button(f"Create {kind.lower()}").click()
    await expect(scene.dialog).to_have_count(0)
    assert await scene.chats() == [(kind.lower(), "Made", {"ann", "dmitry", "user02"})]


async def test_ctrl_enter_creates(scene: Scene) -> None:
    await new_chat(scene, "Group")
    await scene.search.press_sequentially("carol")
    await scene.search.press("Enter")
    await expect(scene.row("carol")).to_have_attribute("aria-selected", "true")
    await scene.search.press("Control+Enter")
    await expect(scene.dialog).to_have_count(0)
    assert await scene.chats() == [("group", "Made", {"ann", "carol"})]


async def test_a_chat_without_a_name_is_not_sent(scene: Scene) -> None:
    await new_chat(scene, "Group")
    name = scene.dialog.get_by_label("Name", exact=True)
    await name.fill("  ")
    await scene.window.button("Create group").click()
    await expect(name).to_be_focused()
    await expect(scene.dialog.get_by_text("1 to 100 characters")).to_be_visible()
    assert await scene.chats() == []


async def test_enter_opens_a_chat_with_the_person_that_is_highlighted(scene: Scene) -> None:
    sent: list[Request] = []
    scene.window.page.on("request", lambda request: sent.append(request))
    await new_chat(scene, "Person")
    await scene.search.press("Control+Enter")
    await scene.search.press_sequentially("dmi")
    await scene.search.press("Enter")
    await expect(scene.window.page.get_by_role("heading", name="dmitry", level=1)).to_be_visible()
    assert await scene.chats() == [("private", None, {"ann", "dmitry"})]
    posted: list[Any] = [
        request.post_data_json
        for request in sent
        if request.method == "POST" and request.url.endswith("/api/chats")
    ]
    assert len(posted) == 1
    assert None not in posted[0]["member_ids"]


async def test_nobody_stays_chosen_for_another_kind_of_chat(scene: Scene) -> None:
    await new_chat(scene, "Group")
    await scene.search.press_sequentially("carol")
    await scene.search.press("Enter")
    await expect(scene.dialog.get_by_role("list", name="Chosen people")).to_contain_text("carol")
    for kind in ("Channel", "Group", "Person"):
        await scene.kind(kind).click()
        await expect(scene.dialog.get_by_role("list", name="Chosen people")).to_have_count(0)
    await scene.search.fill("dmi")
    await scene.search.press("Enter")
    await expect(scene.window.page.get_by_role("heading", name="dmitry", level=1)).to_be_visible()
    assert await scene.chats() == [("private", None, {"ann", "dmitry"})]


async def test_people_are_ticked_and_then_added_at_once(scene: Scene) -> None:
    await add_people(scene)
    before = await scene.row("user05").bounding_box()
    await scene.row("user05").click()
    assert await scene.row("user05").bounding_box() == before
    await scene.search.press_sequentially("carol")
    await scene.search.press("Enter")
    await expect(scene.row("carol")).to_have_attribute("aria-selected", "true")
    assert await scene.members() == {"ann"}
    await scene.window.button("Add 2 people").click()
    await expect(scene.window.page.get_by_text("2 people added")).to_be_visible()
    await expect(scene.search).to_be_focused()
    assert await scene.members() == {"ann", "user05", "carol"}
    await scene.search.fill("user")
    await expect(scene.row("user04")).to_be_visible()
    await expect(scene.row("user05")).to_have_count(0)
    await scene.window.button("Done").click()
    await expect(scene.dialog.get_by_role("button", name="Add people")).to_be_focused()
    await expect(scene.dialog.get_by_text("@carol")).to_be_visible()


async def test_a_double_click_adds_nobody(scene: Scene) -> None:
    await add_people(scene)
    await scene.row("user05").dblclick()
    await expect(scene.row("user05")).to_have_attribute("aria-selected", "false")
    await scene.row("user03").click(click_count=3, delay=20)
    await expect(scene.row("user03")).to_have_attribute("aria-selected", "true")
    await expect(scene.row("user04")).to_have_attribute("aria-selected", "false")
    assert await scene.members() == {"ann"}


async def test_a_double_click_in_new_chat_chooses_nobody_else(scene: Scene) -> None:
    await new_chat(scene, "Group")
    await expect(scene.row("user05")).to_be_visible()
    await scene.row("user05").dblclick()
    await expect(scene.dialog.get_by_role("option", selected=True)).to_have_count(0)
    await scene.row("user05").click()
    await expect(scene.dialog.get_by_role("option", selected=True)).to_have_count(1)


async def test_one_who_came_in_meanwhile_is_no_failure(scene: Scene) -> None:
    await add_people(scene)
    await scene.row("user01").click()
    await scene.row("user02").click()
    user = (await scene.ann.get("/users", q="user01"))["users"][0]
    await scene.ann.post(f"/chats/{scene.group}/members", user_id=user["id"])
    scene.window.expects("status of 409")
    await scene.window.button("Add 2 people").or_(scene.window.button("Add 1 person")).click()
    async with asyncio.timeout(30):
        while await scene.members() != {"ann", "user01", "user02"}:
            await asyncio.sleep(0.02)


async def test_search_takes_nobody_but_who_was_asked_for(scene: Scene) -> None:
    page, keys = scene.window.page, scene.window.page.keyboard
    await keys.press("Control+k")
    await expect(page.get_by_role("combobox")).to_be_focused()
    await keys.type("user0")
    await expect(page.get_by_role("option").first).to_contain_text("user01")
    await keys.press("End")
    await keys.type("7")
    await keys.press("Enter")
    await expect(scene.window.page.get_by_role("heading", name="user07", level=1)).to_be_visible()
    assert await scene.chats() == [("private", None, {"ann", "user07"})]


async def test_a_double_click_on_a_person_in_the_list_opens_that_chat_and_no_other(scene: Scene) -> None:
    page = scene.window.page
    await page.get_by_label("Search for chats, people and messages").fill("user07")
    person = page.get_by_role("group", name="People").get_by_role("option")
    await expect(person).to_have_count(1)
    await person.dblclick(delay=120)
    await expect(page.get_by_role("heading", name="user07", level=1)).to_be_visible()
    assert await scene.chats() == [("private", None, {"ann", "user07"})]
