"""`vestnik export`: what is in it, and what is not."""

import asyncio
import json
import re
import shutil
import stat
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from server.cli import main
from server.exports.file_names import file_name
from server.exports.text import content_html
from storage.open import open_store
from tests.backup.content import fill
from tests.storage.kept import upload
from tests.storage.world import at

EVIL = "<script>alert(1)</script> \"'&amp; \x00 https://example.org/a?b=1&c=2). `<b>` ```py\nx < 1\n```"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has something of everything, and a message that tries to be HTML."""
    folder = tmp_path_factory.mktemp("content")

    async def prepare() -> None:
        store = await open_store(f"sqlite:///{folder / 'vestnik.db'}")
        world = await fill(store)
        await upload(store, 1, "page", content=b"<script>", name="../<i>.html")
        await world.send(2, 1, EVIL, reply_to=1, attachments=["page"], created_at=at(3600 * 24))
        await store.close()

    asyncio.run(prepare())
    return folder


@pytest.fixture
def folder(content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory and DATA_DIR of the command."""
    folder = shutil.copytree(content, tmp_path / "data")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DATA_DIR", str(folder))
    return folder


def lines_of(folder: Path, kind: str) -> list[Any]:
    lines = map(json.loads, (folder / "messages.jsonl").read_text("utf8").splitlines())
    return [line for line in lines if line["type"] == kind]


class Page(HTMLParser):
    """What a browser makes of the page."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed((folder / "index.html").read_text("utf8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_chat(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--chat", "2"]) == 0
    assert re.match(r"export: Team: 8 messages, 3 files in vestnik-chat-2, in ", capsys.readouterr().out)
    out = folder / "vestnik-chat-2"
    assert {stat.S_IMODE(each.stat().st_mode) for each in [out, *out.rglob("*")] if each.is_dir()} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in out.rglob("*") if each.is_file()} == {0o600}
    first, second, *_, last = lines_of(out, "message")
    assert first["reactions"] == {"🎉": [3, 1], "👍": [2]}
    assert first["pinned"]
    assert (out / first["attachments"][0]["file"]).read_bytes() == b"photo" * 1000
    assert [version["content"] for version in second["versions"]][1] == "second, edited"
    assert last["content"] == EVIL
    assert {user["id"] for user in lines_of(out, "user")} == {1, 2, 5}
    page = Page(out)
    assert "script" not in page.tags
    assert "a lie" not in page.text, "what is deleted is left out"
    for text in ("Team", "Анна ✨", "second, edited twice", "🎉 2", "<script>alert(1)</script>", "x < 1"):
        assert text in page.text
    for link in page.links:
        assert link.startswith(("#m", "https://example.org")) or (out / link).is_file(), link
    assert any(link.endswith(".html.txt") for link in page.links), "nothing runs when it is opened"


def test_a_person_gets_their_own_and_nothing_of_others(folder: Path) -> None:
    assert main(["export", "--user", "ann@EXAMPLE.org", "--out", "ann"]) == 0
    out = folder / "ann"
    (account,) = lines_of(out, "account")
    assert (account["username"], account["email"], account["is_admin"]) == ("Ann", "Ann@example.org", True)
    assert (out / account["avatar"]).read_bytes() == b"picture avatar_of_ann"
    contents = [message["content"] for message in lines_of(out, "message")]
    assert contents == ["see @user1", EVIL, "just the two of us"]
    assert [each["chat"]["id"] for each in lines_of(out, "membership")] == [1, 2, 3, 4]
    assert lines_of(out, "reaction") == [{"type": "reaction", "chat_id": 2, "message_id": 1, "emoji": "🎉"}]
    assert [bot["username"] for bot in lines_of(out, "bot")] == ["robot"]
    text = (out / "messages.jsonl").read_text("utf8") + (out / "index.html").read_text("utf8")
    for others in (
        "second",
        "message 0",
        "user1@",
        "👍",
        "secret of watcher",
        "key_of_builds",
        "of_the_server",
        "$2",
    ):
        assert others not in text.replace("@user1", "")
    assert main(["export", "--user", "USER1", "--out", "bob", "--no-files"]) == 0
    assert [each["id"] for each in lines_of(folder / "bob", "upload")] == ["unattached"]
    assert not (folder / "bob" / "files").exists()
    assert "see @user1" not in (folder / "bob" / "index.html").read_text("utf8")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--chat", "99"], "export: there is no chat 99"),
        (["--user", "nobody"], "export: there is no user nobody"),
        (["--chat", "2", "--out", "uploads"], "export: uploads exists; name a folder that does not"),
        (["--chat", "2", "--out", "no/where"], "export: no/where: No such file or directory"),
        (["--chat", "2", "--out", ""], "export: --out is the name of a folder"),
        (["--chat", str(2**70)], "export: there is no chat"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    folder: Path, argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [each for each in folder.iterdir() if each.is_dir()]
    assert main(["export", *argv]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert [each for each in folder.iterdir() if each.is_dir()] == before


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.png", "x-a.png"),
        ("../../etc/passwd", "x-_.._etc_passwd"),
        ("index.HTML", "x-index.HTML.txt"),
        ("a.svg", "x-a.svg.txt"),
        ("run.exe ", "x-run.exe.txt"),
        ("a#b?.pdf", "x-a_b_.pdf"),
        ("...", "x-file"),
        ("ä" * 200 + ".jpeg", "x-" + "ä" * 60 + ".jpeg"),
    ],
)
def test_names_of_files_are_safe(name: str, kept: str) -> None:
    assert file_name("x", name) == kept


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("a & b", "a &amp; b"),
        ("`a` b", "<code>a</code> b"),
        ("``a ` b`` `", "<code>a ` b</code> `"),
        ("```\n<x>\n```", "<pre><code>&lt;x&gt;</code></pre>"),
        ("(http://x.org)", '(<a href="http://x.org" rel="noreferrer nofollow">http://x.org</a>)'),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("`http://x.org`", "<code>http://x.org</code>"),
    ],
)
def test_text_becomes_html(content: str, shown: str) -> None:
    assert content_html(content) == shown
