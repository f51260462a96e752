"""How long the tests wait for what has to come."""

import asyncio
import os

SLACK = 5 if "PYTEST_XDIST_WORKER" in os.environ else 1
"""How many times longer a wait may take beside other workers, which keep all cores busy. A test that runs alone, as in
`pytest -n 0` and the long run, holds the times that the protocol names."""


def within(seconds: float) -> asyncio.Timeout:
    """Raises `TimeoutError` if its block takes longer than this, on a machine that does nothing else."""
    return asyncio.timeout(seconds * SLACK)
