"""People of the users' own backend at two nodes: made once, banned everywhere."""

import asyncio

import pytest

from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.cluster.fixtures import StartCluster
from tests.issuer.provider import AUDIENCE, ISSUER, provider_running, token_of
from tests.nodes.conftest import Pair

pytestmark = [pytest.mark.cluster, pytest.mark.long]

PEOPLE = 8


async def test_a_person_is_made_once_and_their_ban_counts_at_both(start_cluster: StartCluster) -> None:
    async with provider_running() as provider:
        pair = Pair(
            await start_cluster(
                2,
                JWKS_URL=provider.url,
                JWT_ISSUER=ISSUER,
                JWT_AUDIENCE=AUDIENCE,
                JWT_CREATE_USERS="on",
                DEFAULT_CHAT="Everybody",
            )
        )
        http = pair.one.http
        people = [Person(http, pair.one.url, pair.one.ws_url, f"p{number}") for number in range(PEOPLE)]
        for person in people:
            person.token = token_of(person.username, preferred_username="ann", name=person.username)
        asked = [each.get("/users/me") for person in people for each in (person, pair.there(person)) * 3]
        answers = await asyncio.gather(*asked)
        ids = [answer["id"] for answer in answers]
        assert [len(set(ids[first : first + 6])) for first in range(0, len(ids), 6)] == [1] * PEOPLE
        assert len(set(ids)) == len({answer["username"] for answer in answers}) == PEOPLE
        ann, there = people[0], pair.there(people[0])
        clients = [await ann.connect(), await there.connect()]
        assert (await pair.two.command_line("user", "ban", answers[0]["username"]))[0] == 0
        async with asyncio.timeout(2):
            assert [await client.closed() for client in clients] == [4403, 4403]
        for each in (ann, there):
            assert_error(await each.request("GET", "/users/me"), 403, "forbidden")
            assert await (await each.open_raw()).closed() == 4403
        status, _, error = await pair.one.command_line("user", "password", answers[1 * 6]["username"])
        assert (status, "no password here" in error) == (1, True)
        assert (await pair.one.command_line("user", "unban", answers[0]["username"]))[0] == 0
        await there.connect()
