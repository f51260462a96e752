"""Connects to the database that a URL names."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from storage.errors import StorageError, Unavailable
from storage.mongo import schema
from storage.mongo.database import Database, Document, brief

DEFAULT_NAME = "vestnik"

_SELECTION_S = 2.0
_SOCKET_S = 8.0
_PAUSE_S = 0.2
_AUTHENTICATION_FAILED = 18


Begin = Callable[[Database], Awaitable[None]]
"""What is done with a database whose server answers. It may be done again if the connection breaks."""


async def begin_serving(database: Database) -> None:
    """Brings the schema up to date, and makes sure that the database can be written."""
    await schema.prepare(database)
    await database.prove()


async def as_it_is(_database: Database) -> None:
    """Does nothing with the database."""


async def connect(url: str, timeout_s: float, begin: Begin = begin_serving) -> Database:
    """The database that the URL names, as soon as its server answers and `begin` is done.

    Raises: `StorageError`, whose text is one line and has nothing of the URL but the hosts; what `begin` raises.
    """
    database = _database(url, timeout_s)
    try:
        await _answer(database, timeout_s, begin)
    except PyMongoError as error:
        database.close()
        raise _refusal(error, timeout_s, url) from None
    except BaseException:
        database.close()
        raise
    return database


async def _answer(database: Database, timeout_s: float, begin: Begin) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        try:
            about = await database.client.admin.command("buildInfo")
            database.finds_many = "ferretdbVersion" not in about
            await begin(database)
            return
        except (ConnectionFailure, WriteConcernError):
            if loop.time() >= deadline:
                raise
            await asyncio.sleep(_PAUSE_S)


def _refusal(error: PyMongoError, timeout_s: float, url: str) -> StorageError:
    reason = _without_password(brief(error), url)
    if isinstance(error, ConnectionFailure):
        return Unavailable(f"cannot reach MongoDB within {timeout_s:g} s: {reason}")
    if isinstance(error, WriteConcernError):
        return Unavailable(f"MongoDB did not confirm a write within {timeout_s:g} s: {reason}", "unconfirmed")
    if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        return StorageError("MongoDB does not accept the user name and password of the URL")
    return StorageError(f"MongoDB: {reason}")


def _database(url: str, timeout_s: float) -> Database:
    selection_ms = int(min(_SELECTION_S, max(timeout_s, 0.1)) * 1000)
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            appname="vestnik",
            # An ack means: on disk, and not lost by a change of the primary.
            w="majority",
            journal=True,
            wTimeoutMS=int(_SOCKET_S * 1000),
            readConcernLevel="majority",
            readPreference="primary",
            # Calls to a server that is not there fail within seconds; the store itself tries again.
            serverSelectionTimeoutMS=selection_ms,
            connectTimeoutMS=selection_ms,
            socketTimeoutMS=int(_SOCKET_S * 1000),
            heartbeatFrequencyMS=2000,
        )
    except (InvalidURI, ConfigurationError, ValueError, TypeError) as error:
        # The text may quote a part of the password as a port that is not valid.
        raise StorageError(
            "the MongoDB URL is not valid, it should be mongodb://user:password@host:port/name with special"
            f" characters percent-encoded ({type(error).__name__})"
        ) from None
    name = url.partition("://")[2].partition("?")[0].partition("/")[2]
    return Database(client, unquote(name) or DEFAULT_NAME)


def _without_password(text: str, url: str) -> str:
    secret = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    for form in (secret, unquote(secret)):
        if form:
            text = text.replace(form, "…")
    return text
