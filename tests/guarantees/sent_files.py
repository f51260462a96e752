"""The files that people have sent in a play, and what is left of them in its end."""

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import ClientError

from storage.files.ports import Files
from tests.clients.files import fetch, try_upload
from tests.clients.people import Person
from tests.clients.wires import Frame
from tests.guarantees.acts import Act, Room
from tests.storage.kept import all_ids

QUOTA_BYTES = 1_000_000
"""More than anybody sends in a play. A file that is larger is refused with the number of bytes that are used."""

GONE_S = 10

_USED = re.compile(r"take (\d+) already")


@dataclass
class SentFiles:
    """`uploads` are those that were acked: the upload object, the sender and the content."""

    uploads: dict[str, tuple[Frame, int, bytes]] = field(default_factory=dict)
    unsure: dict[int, int] = field(default_factory=dict)
    """By user: how many bytes they sent of which nobody knows whether they are kept."""

    async def upload(
        self, files: Sequence[tuple[Person, bytes]], is_shaky: Callable[[], bool]
    ) -> Sequence[str]:
        """Uploads files, one after the other; their ids, none if one of them has no answer, as when a node is gone."""
        ids: list[str] = []
        for person, content in files:
            try:
                status, upload = await try_upload(person, content, f"{len(self.uploads)}.bin")
            except (ClientError, OSError):
                status, upload = 503, None
            if status != 201:
                assert status == 503, upload
                assert is_shaky(), upload
                self.unsure[person.id] = self.unsure.get(person.id, 0) + len(content)
                return ()
            self.uploads[upload["id"]] = upload, person.id, content
            ids.append(upload["id"])
        return ids

    def check_sends(self, rooms: Iterable[Room], acts: Sequence[Act]) -> None:
        """Each message has what its sender named, no file is in two messages, and a send is refused only if another one
        may have its files."""
        asked = {act.fields["content"]: act for act in acts if act.name == "send_message"}
        attached: set[str] = set()
        for room in rooms:
            for frame in room.model.log:
                if frame["type"] != "new_message" or frame["message"]["id"] in room.model.scrubbed:
                    continue
                message = frame["message"]
                wanted = [self.uploads[one][0] for one in _wanted(asked[message["content"]])]
                assert message["attachments"] == wanted, (wanted, message)
                assert message["message_type"] == _type_of(wanted), message
                assert attached.isdisjoint(one["id"] for one in wanted), ("in two messages", message)
                attached.update(one["id"] for one in wanted)
        for act in asked.values():
            if not _is_refused(act):
                continue
            others = [one for one in asked.values() if one is not act and not _is_refused(one)]
            assert any(set(_wanted(one)) & set(_wanted(act)) for one in others), act

    def left(self, rooms: Iterable[Room], acts: Sequence[Act]) -> "Left":
        """What there has to be after all that is known."""
        alive: dict[str, int] = {}
        dead: set[str] = set()
        scrubbed = False
        for room in rooms:
            scrubbed = scrubbed or bool(room.model.scrubbed)
            for frame in room.model.log:
                if frame["type"] != "new_message":
                    continue
                message = frame["message"]
                ids = [one["id"] for one in message["attachments"]]
                if room.model.now(message["id"]) is None:
                    dead.update(ids)
                else:
                    alive |= dict.fromkeys(ids, message["id"])
        unknown: set[str] = set()
        for act in acts:
            if act.name == "send_message" and scrubbed and not _is_refused(act):
                some = set(_wanted(act)) - alive.keys() - dead
                # The message is there, and was deleted before the model heard of it.
                (dead if act.acked else unknown).update(some)
        return Left(self, alive.keys(), dead, unknown - dead)


@dataclass
class Left:
    """`alive` are the files of messages that are there, `dead` those of deleted ones. Of the `unknown` nobody knows
    whether they were attached, and are gone. All others were never sent, and wait."""

    files: SentFiles
    alive: Collection[str]
    dead: Collection[str]
    unknown: Collection[str]

    async def check(self, people: Mapping[str, Person]) -> None:
        """Each attached file can be read, each deleted one is gone, and the quota counts what is there."""
        reader = next(iter(people.values()))
        for upload_id in self.alive:
            upload, _, content = self.files.uploads[upload_id]
            answer, body = await fetch(reader, upload["url"])
            assert (answer.status, len(body)) == (200, upload["size"]), upload
            assert body == content or "width" in upload, upload
            if "thumbnail_url" in upload:
                assert (await fetch(reader, upload["thumbnail_url"]))[0].status == 200, upload
        for upload_id in self.dead:
            upload = self.files.uploads[upload_id][0]
            for name in ("url", "thumbnail_url"):
                if name in upload:
                    assert (await fetch(reader, upload[name]))[0].status == 404, upload
        for person in people.values():
            await self._check_quota(person)

    async def _check_quota(self, person: Person) -> None:
        theirs = {
            one: upload for one, (upload, user_id, _) in self.files.uploads.items() if user_id == person.id
        }
        sizes = {one: upload["size"] for one, upload in theirs.items() if one not in self.dead}
        least = sum(size for one, size in sizes.items() if one not in self.unknown)
        most = sum(sizes.values()) + self.files.unsure.get(person.id, 0)
        status, body = await try_upload(person, b"x" * (QUOTA_BYTES + 1))
        assert status == 413, body
        found = _USED.search(body["error"]["message"])
        assert found, body
        assert least <= int(found[1]) <= most, (person.username, least, found[1], most)

    async def check_kept(self, files: Files) -> None:
        """No bytes stay of what is gone, and none are missing. Where nothing is unknown, these are all."""
        wanted = {
            file_id
            for upload_id, (upload, _, _) in self.files.uploads.items()
            if upload_id not in self.dead and upload_id not in self.unknown
            for file_id in _file_ids(upload)
        }
        gone = {file_id for one in self.dead for file_id in _file_ids(self.files.uploads[one][0])}
        certain = not self.unknown and not self.files.unsure

        def is_right(found: set[str]) -> bool:
            return wanted <= found and not gone & found and (found == wanted or not certain)

        found = await _until(files, is_right)
        assert is_right(found), (wanted - found, found - wanted)


async def _until(files: Files, is_right: Callable[[set[str]], bool]) -> set[str]:
    """Which files there are, when they are right or do not become so."""
    for _ in range(GONE_S * 20):
        found = set(await all_ids(files))
        if is_right(found):
            break
        await asyncio.sleep(0.05)
    return found


def _file_ids(upload: Frame) -> list[str]:
    return [upload["id"], f"{upload['id']}.t"] if "thumbnail_url" in upload else [upload["id"]]


def _wanted(act: Act) -> Sequence[str]:
    ids: Sequence[str] = act.fields.get("attachments", ())
    return ids


def _is_refused(act: Act) -> bool:
    return act.answer is not None and not act.acked


def _type_of(uploads: Sequence[Frame]) -> str:
    if not uploads:
        return "text"
    return "image" if all("width" in one for one in uploads) else "file"
