"""Login, staying logged in, logout."""

from playwright.async_api import expect

from tests.browser.conftest import OpenWindow, Shared
from tests.clients.rest import PASSWORD
from tests.conftest import Serve


async def test_log_in_and_out(shared: Shared) -> None:
    await shared.people("ann")
    window = await shared.window(path="/")
    page = window.page
    await page.get_by_label("Username", exact=True).fill("ann")
    await page.get_by_label("Password", exact=True).fill("wrong")
    window.expects("status of 401")
    await window.button("Log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await window.button("Log in").click()
    await window.connected()
    assert await page.evaluate("window.websocket.isConnected()") is True
    await expect(window.chats).to_be_visible()
    await page.reload()
    await expect(window.chats).to_be_visible()
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await expect(window.button("Log in")).to_be_visible()
    await expect(page).to_have_url(f"{shared.server.url}/login")


async def test_register(shared: Shared) -> None:
    window = await shared.window(path="/register")
    page = window.page
    await page.get_by_label("Username", exact=True).fill("newcomer")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await window.button("Create account").click()
    await window.connected()
    await expect(page.get_by_text("No chats yet")).to_be_visible()


async def test_a_token_is_renewed_and_nobody_notices(serve: Serve, open_window: OpenWindow) -> None:
    server = await serve(access_token_ttl_s=32)  # the client renews a token that has less than 30 s left
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    window = await open_window(server, ann, f"/chats/{chat_id}")
    async with window.page.expect_response("**/api/auth/refresh") as refreshed:
        await window.connected()
    assert (await refreshed.value).status == 200
    await window.say("still here")
    await window.shown("still here")
    assert await window.page.evaluate("window.websocket.isConnected()") is True
    await expect(window.page.get_by_role("alert")).to_have_count(0)


async def test_a_refused_token_is_renewed(shared: Shared) -> None:
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    window = await shared.window(ann, f"/chats/{chat_id}")
    await window.connected()
    window.expects("status of 401", "WebSocket connection to")
    await window.page.evaluate(
        """() => {
          const session = JSON.parse(localStorage.getItem('vestnik.session'))
          localStorage.setItem('vestnik.session', JSON.stringify({ ...session, access_token: 'worn out' }))
        }"""
    )
    await window.page.reload()
    await window.connected()
    await window.say("still here")
    await window.shown("still here")
