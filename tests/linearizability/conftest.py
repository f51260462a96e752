"""A node that is a process of its own."""

from tests.guarantees.conftest import start  # noqa: F401 -- a fixture
