"""The databases in `tests/data`, as an earlier version of the server left them."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

from bson import json_util
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import IndexModel

DATA = Path(__file__).parents[1] / "data"

Answers = dict[str, dict[str, Any]]
"""What was answered to whom, by name and by path."""


def answers(store: str) -> Answers:
    found: dict[str, Answers] = json.loads(_text("answers.json"))
    return found[store]


def write_file(path: Path) -> None:
    """Writes the SQLite file, of schema version 7."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(_text("schema_7.sql"))
    db.close()


async def write_database(url: str) -> None:
    """Writes the MongoDB database, of format 2, with its indexes."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url)
    database = client.get_default_database()
    for name, kept in json_util.loads(_text("format_2.json")).items():
        for *keys, unique in kept["indexes"]:
            model = IndexModel([(key, int(order)) for key, order in keys], unique=unique)
            await database[name].create_indexes([model])
        if kept["documents"]:
            await database[name].insert_many(kept["documents"])
    client.close()


def lacks(now: Any, before: Any, at: str = "") -> list[str]:
    """What an answer lacks of an earlier one: fields may have been added, and nothing else."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            fault
            for name, value in before.items()
            if name != "url"  # of an invite, which has the port of the server
            for fault in (
                lacks(now[name], value, f"{at}.{name}") if name in now else [f"{at}.{name} is gone"]
            )
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = zip(now, before, strict=True)
        return [fault for place, pair in enumerate(pairs) for fault in lacks(*pair, f"{at}[{place}]")]
    return [] if now == before else [f"{at}: {before!r:.200} became {now!r:.200}"]


def _text(name: str) -> str:
    return gzip.decompress((DATA / f"{name}.gz").read_bytes()).decode()
