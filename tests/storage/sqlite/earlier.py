"""A file as an earlier version of the server would have it."""

import sqlite3
from pathlib import Path

from storage.sqlite import schema


def take_back(path: Path, version: int) -> None:
    """Rewrites a closed file as one of that schema version: what the version did not know is gone, all else stays."""
    earlier = path.with_suffix(".earlier")
    db = sqlite3.connect(earlier, isolation_level=None)
    schema.upgrade(db, schema.MIGRATIONS[:version])
    db.execute("ATTACH ? AS now", (str(path),))
    tables = db.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql IS NOT NULL"
    ).fetchall()
    for (table,) in tables:
        columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
        db.execute(f"DELETE FROM main.{table}")
        db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
    db.close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    earlier.replace(path)
