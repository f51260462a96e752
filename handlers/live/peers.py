"""The other nodes on the same store, as the live state here sees them."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

Listener = Callable[[str, Any], None]
"""Called with the incarnation of the sender, and the value."""


class Peers(Protocol):
    """Exchanges values that are not stored with all other nodes, by topic.

    The values of one node on a topic arrive in order. A value is what JSON can hold, with strings as keys.
    """

    @property
    def incarnation(self) -> str:
        """The name of this process among the nodes; new at each start."""

    @property
    def others(self) -> Collection[str]:
        """The incarnations of the other nodes that live, as far as this one knows. Cheap."""

    def tell(self, topic: str, value: Any) -> None:
        """Publishes a value to the others: at once over the bus if there is one, else within a second. Does not
        suspend."""

    def tell_at_once(self, topic: str, value: Any) -> None:
        """Publishes a value to the others if there is a bus; without one the value is dropped. For values that are
        out of date within a second."""

    def listen(self, topic: str, listener: Listener) -> None:
        """Subscribes to a topic."""

    def share(self, topic: str, snapshot: Callable[[], Any], load: Listener) -> None:
        """For a topic whose values add up to a state: `snapshot()` is the whole of what this node has published.
        `load` is called with the snapshot of another node, in place of all that it published before: when this one
        starts, when the other one is back after it was gone, and when some of its values were missed. Later values
        follow."""

    def on_gone(self, listener: Callable[[str, bool], None]) -> None:
        """Called with each incarnation that is no longer there, and whether it said so itself (True) or died."""


class NoPeers:
    """For a node that is alone."""

    incarnation = ""
    others: Collection[str] = ()

    def tell(self, topic: str, value: Any) -> None: ...

    def tell_at_once(self, topic: str, value: Any) -> None: ...

    def listen(self, topic: str, listener: Listener) -> None: ...

    def share(self, topic: str, snapshot: Callable[[], Any], load: Listener) -> None: ...

    def on_gone(self, listener: Callable[[str, bool], None]) -> None: ...
