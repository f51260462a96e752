"""schemathesis makes requests from the OpenAPI document, good ones and bad ones: the server has no internal error, and
answers nothing that the document does not have."""

import asyncio
import os
import re
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest

from handlers.policy import Policy
from server.documents.openapi import operations
from tests.clients.admins import make_admin
from tests.conftest import SECRET, Server, serving

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "negative_data_rejection"),
)
"""503 is a server error too: it is the answer to a failure that nobody foresaw. `negative_data_rejection`: a request
that its schema does not allow is refused."""

EVERY = len(operations()) - 1
"""It may leave out the call that gives the document itself."""

HANGS_S = 600.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Without limits, and with users, chats and messages under the first ids."""
    async with serving(tmp_path) as serve:
        server = await serve(policy=Policy().unlimited())
        ann, bob = await server.people("ann", "bob")
        await make_admin(server.chat_app, ann.id)
        for kind in ("group", "channel", "private"):
            chat_id = await ann.chat(bob, chat_type=kind)
            for number in range(3):
                await ann.say(chat_id, f"soup {number}")
        yield server


def token_of(user_id: int) -> str:
    """A token of another backend: it has no session that a logout could end."""
    return jwt.encode({"sub": str(user_id), "exp": time.time() + 3600}, SECRET)


async def schemathesis(server: Server, *options: str) -> str:
    """What the program says. Fails if it has found something."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{server.url}/api/openapi.json", "--header", f"Authorization: Bearer {token_of(1)}"),
        *("--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color", "--warnings", "off"),
        *("--generation-deterministic", *options),
        cwd=server.config.data_dir,
        env={**os.environ, "COLUMNS": "200"},
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(HANGS_S):
            said = (await process.communicate())[0].decode()
    except BaseException:
        process.kill()
        raise
    assert process.returncode == 0, said
    return said


def counted(said: str) -> tuple[int, int]:
    """How many operations, and how many cases."""
    found = re.search(r"Tested: (\d+)", said), re.search(r"(\d+) generated, \1 passed", said)
    assert all(found), said
    return int(found[0][1]), int(found[1][1])  # type: ignore[index]


async def test_a_few_requests_of_each_kind_meet_no_error(server: Server) -> None:
    every, cases = counted(await schemathesis(server, "--phases", "fuzzing", "--max-examples", "1"))
    assert every >= EVERY
    assert cases >= every


@pytest.mark.long
async def test_thousands_of_requests_meet_no_error(server: Server) -> None:
    said = await schemathesis(
        server, "--phases", "coverage,fuzzing,stateful", "--max-examples", "25", "--max-time", "400"
    )
    every, cases = counted(said)
    assert every >= EVERY
    assert cases > 2000
