"""Where the other nodes are."""

from collections.abc import Awaitable, Callable, Mapping

from storage.node_ports import Lease


class Owners:
    """The other nodes by the leases that live. Nobody is ever reached by what a sid says.

    `others` returns the living leases of the last look, by incarnation; `look` returns after a new one, or raises
    `Unavailable`.
    """

    def __init__(
        self, incarnation: str, others: Callable[[], Mapping[str, Lease]], look: Callable[[], Awaitable[None]]
    ) -> None:
        self.incarnation = incarnation
        self._others = others
        self._look = look

    def url_now(self, incarnation: str) -> str:
        """As `url_of`, as of the last look."""
        lease = self._others().get(incarnation)
        return "" if lease is None else lease.url.rstrip("/")

    async def url_of(self, incarnation: str) -> str:
        """How another node is reached; "" if it does not live, or cannot be reached. One that is not known may have
        come since the last look, so there is another look before it is taken for dead. Raises: `Unavailable`."""
        if incarnation not in self._others():
            await self._look()
        return self.url_now(incarnation)

    def urls(self) -> Mapping[str, str]:
        """By incarnation, how the others are reached that can be."""
        return {name: lease.url.rstrip("/") for name, lease in self._others().items() if lease.url}
