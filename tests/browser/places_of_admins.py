"""Every view and dialog of those who run a server and its chats, and what the people see on whom they act."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server

LONG_REASON = (
    "Advertises flats in every chat. We have talked about it twice, and nothing has changed since then."
)


class Realm:
    """Vera, who runs the server and its public group, and the people on whom she acts there."""

    vera: Person
    tom: Person
    """A muted member, who has blocked somebody."""

    lena: Person
    """Has no chats but a private one that is empty."""

    group: int
    blocked: int
    """The private chat of Tom with somebody whom he has blocked."""


async def settled(server: Server) -> Realm:
    realm = Realm()
    code = await server.chat_app.setup.new_code()
    assert code is not None
    realm.vera = await server.person("vera", display_name="Vera Lindqvist-Aleksandrova", setup_code=code)
    realm.tom, realm.lena, eve, mallory = await server.people(
        "tom", "lena", "eve-with-a-long-name", "mallory"
    )
    realm.group = await realm.vera.chat(realm.tom, eve, mallory, name="The neighbours of the long street")
    path = f"/chats/{realm.group}"
    await realm.vera.patch(path, is_public=True, slow_mode_s=300)
    await eve.say(realm.group, "Who has a ladder?")
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    await realm.vera.patch(f"{path}/members/{realm.tom.id}", muted_until=soon)
    await realm.vera.post(f"{path}/bans", user_id=mallory.id, reason=LONG_REASON)
    await realm.vera.post(f"{path}/invites")
    await realm.vera.post("/admin/invites", max_uses=5)
    await realm.vera.patch(f"/admin/users/{mallory.id}", banned=True)
    realm.blocked = await realm.tom.chat(eve, chat_type="private")
    await realm.tom.say(realm.blocked, "No, thank you")
    await realm.tom.request("PUT", f"/users/{eve.id}/block")
    return realm


async def admin_places(window: Window) -> AsyncIterator[str]:
    """The page of the server's admins; the window is Vera's."""
    page = window.page
    dialog, question = page.get_by_role("dialog"), page.get_by_role("alertdialog")
    for section in ("invites", "chats", "statistics", "log"):
        await window.goto(f"/admin/{section}")
        await expect(page.locator("main section :is(li, dl)").last).to_be_visible()
        if section == "invites":
            await page.locator("form").get_by_role("button").click()
            await expect(page.get_by_role("img").last).to_be_visible()
        yield f"admin, {section}"
    await window.goto("/admin")
    await expect(page.locator("main section li")).to_have_count(5)
    yield "admin, people"
    await page.locator("main section li").last.get_by_role("button").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    yield "menu of an account"
    await page.get_by_role("menuitem").first.click()
    await expect(question).to_be_visible()
    yield "question about an account"
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await page.locator("main section .button.primary").click()
    await dialog.locator("form").get_by_role("button").last.click()
    await expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    yield "new account, with an error"
    await dialog.locator("input").first.fill("newcomer-with-quite-a-long-name")
    await page.keyboard.press("Enter")
    await expect(dialog.locator("input[readonly]")).to_be_visible()
    yield "a password, once"


async def moderation_places(vera: Window, realm: Realm) -> AsyncIterator[str]:
    """What the owner of a group does there."""
    page = vera.page
    dialog, question = page.get_by_role("dialog"), page.get_by_role("alertdialog")
    await vera.goto(f"/chats/{realm.group}")
    await expect(vera.composer).to_be_visible()
    await page.locator("header").get_by_role("button").last.click()
    for name in ("add", "invites", "bans", "audit"):
        way = dialog.locator(f"[data-page={name}]")
        await way.click()
        await expect(dialog.locator("[role=option], li").first).to_be_visible()
        if name == "invites":
            await dialog.locator("form").get_by_role("button").click()
            await expect(dialog.get_by_role("img")).to_be_visible()
        yield f"about the group, {name}"
        await page.keyboard.press("Escape")
        await expect(way).to_be_focused()
    menu = dialog.locator("li").filter(has_text="@tom").get_by_role("button")
    await menu.click()
    await expect(page.get_by_role("menu")).to_be_visible()
    yield "menu of a member"
    await page.keyboard.press("Escape")
    items = page.locator("[role=menuitem]")
    dangers = page.locator("[role=menuitem].danger")
    for name, item in (("remove", dangers.first), ("ban", dangers.last), ("mute", items.nth(4))):
        await menu.click()
        await item.click()
        await expect(question).to_be_visible()
        yield name
        await page.keyboard.press("Escape")
        await expect(question).to_have_count(0)


async def moderated_places(tom: Window, realm: Realm) -> AsyncIterator[str]:
    """What a member sees of it."""
    await tom.goto(f"/chats/{realm.group}")
    await expect(tom.log.get_by_role("article").first).to_be_visible()
    await expect(tom.composer).to_have_count(0)
    yield "muted"
    await realm.vera.post(f"/chats/{realm.group}/bans", user_id=realm.tom.id)
    await expect(tom.page.get_by_role("alert")).to_be_visible()
    yield "banned"
    await tom.goto(f"/chats/{realm.blocked}")
    await expect(tom.log.get_by_role("article").first).to_be_visible()
    yield "a private chat with somebody blocked"


async def newcomer_places(lena: Window) -> AsyncIterator[str]:
    """What somebody without chats sees, who joins a public one."""
    page = lena.page
    await lena.goto("/")
    await expect(page.locator(".step").last).to_be_visible()
    yield "first steps"
    await page.locator(".step:visible").last.click()
    join = page.get_by_role("dialog").get_by_role("listitem").get_by_role("button")
    await expect(join).to_have_count(1)
    yield "public chats"
    await join.click()
    await lena.composer.fill("I have one")
    await page.locator(".composer .send").click()
    await expect(page.locator(".composer .wait")).to_be_visible()
    yield "slow mode"
