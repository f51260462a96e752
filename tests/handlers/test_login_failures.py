"""Failed logins count over all servers, each for its pair of account and network."""

import pytest

from handlers.live.limits import Limiter
from handlers.live.login_failures import LoginFailures
from handlers.live.tokens import Tokens
from handlers.policy import Policy
from handlers.wire.errors import ChatError
from tests.clients.clock import ManualClock
from tests.clients.peers import PeerNet

BURST = 10
MINUTE = 60.0


class Scene:
    """Three servers with one key."""

    def __init__(self, delay_s: float = 0.5) -> None:
        self.clock = ManualClock()
        self.net = PeerNet(self.clock, delay_s=delay_s)
        self.nodes = [self.node(name) for name in "abc"]

    def node(self, name: str) -> LoginFailures:
        tokens = Tokens("k" * 32, "HS256", self.clock, issuer="store", access_ttl_s=60)
        node = LoginFailures(Limiter(Policy(), self.clock), tokens, self.net.join(name))
        self.net.load(name)
        return node

    async def log_in(
        self, node: int, *, right: bool = False, account: int | str = 1, network: str = "192.0.2.1"
    ) -> bool | str:
        """Whether the password matched; the code of the error if nobody looked at it."""

        async def match() -> bool:
            return right

        try:
            return await self.nodes[node].match(account, network, match)
        except ChatError as error:
            return error.code


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_failures_at_any_node_count_at_all(scene: Scene) -> None:
    for number in range(BURST):
        assert await scene.log_in(number % 3) is False
    scene.clock.advance(0.5)
    for node in range(3):
        assert await scene.log_in(node, right=True) == "rate_limited", node
        assert await scene.log_in(node, right=True, network="192.0.2.2") is True, "nobody locks another out"
        assert await scene.log_in(node, right=True, account=2) is True
    scene.clock.advance(MINUTE / BURST)
    assert [await scene.log_in(node, right=True) for node in range(3)] == [True] * 3


async def test_what_succeeds_is_not_told(scene: Scene) -> None:
    for node in range(3):
        for _ in range(20):
            assert await scene.log_in(node, right=True) is True
    assert scene.net.told == []


async def test_an_unknown_name_counts_like_a_known_one(scene: Scene) -> None:
    """Else the number of tries at several servers would tell which names exist."""
    tries = []
    for account in (1, "nobody"):
        tries.append(0)
        for number in range(40):
            tries[-1] += await scene.log_in(number % 3, account=account) is False
            scene.clock.advance(0.6)
    assert tries[0] == tries[1] <= BURST + 40 * 0.6 * BURST / MINUTE + 3


async def test_tries_at_all_nodes_at_once_are_paid_for_afterwards() -> None:
    scene = Scene(delay_s=2.0)
    for node in range(3):
        for _ in range(BURST):
            assert await scene.log_in(node) is False
    scene.clock.advance(2.0)
    assert [await scene.log_in(node, right=True) for node in range(3)] == ["rate_limited"] * 3
    scene.clock.advance(MINUTE)
    assert [await scene.log_in(node, right=True) for node in range(3)] == ["rate_limited"] * 3
    scene.clock.advance(MINUTE / BURST)
    assert [await scene.log_in(node, right=True) for node in range(3)] == [True] * 3


async def test_neither_name_nor_address_is_published(scene: Scene) -> None:
    await scene.log_in(0, account="my password", network="192.0.2.77")
    assert len(scene.net.told) == 1
    assert "password" not in str(scene.net.told)
    assert "192.0.2" not in str(scene.net.told)


async def test_a_password_that_was_not_checked_does_not_count(scene: Scene) -> None:
    async def too_many_wait() -> bool:
        raise ChatError("unavailable", "too many wait")

    for _ in range(3 * BURST):
        with pytest.raises(ChatError, match="too many wait"):
            await scene.nodes[0].match(1, "192.0.2.1", too_many_wait)
    assert scene.net.told == []
    assert await scene.log_in(0, right=True) is True
