"""The changes of avatars, and of what files are kept."""

from collections.abc import Sequence
from datetime import datetime

from domain.changes import AccountChange, Change, change
from domain.models import Chat


@change("avatar", logged=True, since=3)
class ChatAvatarChanged(Change):
    """A chat has another avatar, or none any more. `old_id` is the avatar that it had, None for none."""

    chat: Chat
    old_id: str | None
    actor_id: int
    at: datetime

    @property
    def chat_id(self) -> int:
        return self.chat.id


@change("files_removed", logged=False)
class FilesRemoved(AccountChange):
    """Nothing refers to these files any more. Their ids are in the queue of the store (`storage.ports.Uploads`), and
    their bytes are to be deleted."""

    file_ids: Sequence[str]
