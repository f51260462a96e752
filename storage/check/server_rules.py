"""The rules of what belongs to no chat."""

from collections.abc import Callable, Mapping

from storage.backup_ports import Batch, Record
from storage.check.findings import Findings
from storage.check.references import References


class ServerRules:
    """Reads the batches of the server. `users` has the ids of all accounts then, `ended` those that are deleted."""

    def __init__(self, references: References) -> None:
        self.findings = Findings(None)
        self._references = references
        self.users: set[int] = set()
        self.ended: set[int] = set()
        self._last_user_id = 0
        self._read: Mapping[str, Callable[[Record], None]] = {
            "server": self._server,
            "user": self._user,
            "block": self._block,
            "bot_token": self._bot_token,
            "invite": self._invite,
            "upload": self._upload,
        }

    def add(self, batch: Batch) -> None:
        read = self._read.get(batch.kind)
        if read is not None:
            for record in batch.records:
                read(record)

    def _server(self, record: Record) -> None:
        self._last_user_id = record["last_user_id"]

    def _user(self, record: Record) -> None:
        user_id = record["id"]
        if user_id > self._last_user_id:
            self.findings.add(
                "ids of users that may be given again",
                f"user {user_id}: the highest id that was ever given is said to be {self._last_user_id}",
            )
        if "owner_id" in record:
            self._references.name(record["owner_id"], None, f"bot {user_id}")
        self.users.add(user_id)
        if record.get("deleted"):
            self.ended.add(user_id)

    def _block(self, record: Record) -> None:
        self._known("a block", record["user_id"], record["blocked_id"])

    def _bot_token(self, record: Record) -> None:
        self._known("the token of a bot", record["user_id"])

    def _invite(self, record: Record) -> None:
        self._known("an invite to the server", record["created_by"])

    def _upload(self, record: Record) -> None:
        self._known(f"upload {record['id']}", record["user_id"])

    def _known(self, what: str, *user_ids: int) -> None:
        for user_id in user_ids:
            self._references.name(user_id, None, what)
