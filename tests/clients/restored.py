"""A server that goes back to an earlier state, as by a restored backup, but with the sessions: whoever was connected
comes back in place. Ids and numbers that were given since are given again."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.conftest import Server


def keep_state(server: Server) -> Path:
    """Copies the database as it is now. Files are not copied."""
    kept = server.config.data_dir / "kept.db"
    with closing(sqlite3.connect(_path(server))) as source, closing(sqlite3.connect(kept)) as copy:
        source.backup(copy)
    kept.chmod(0o600)
    return kept


async def go_back(server: Server, kept: Path, epoch: str = "restored") -> None:
    """Stops the server, and starts it with what was kept, under another epoch."""
    await server.stop()
    path = _path(server)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(kept, path)
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (epoch,)).rowcount == 1
    await server.start()


def _path(server: Server) -> Path:
    return server.config.data_dir / "vestnik.db"
