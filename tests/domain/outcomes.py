"""How a decision ends, in one word or value."""

from collections.abc import Callable

from domain.refusals import Refusal


def outcome(decide: Callable[[], object]) -> object:
    """What is decided, or the class of the refusal."""
    try:
        return decide()
    except Refusal as refusal:
        return type(refusal)
