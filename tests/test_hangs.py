"""What hangs fails, and the report says where; what comes after it runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.program import ROOT

CONFTEST = """
from tests import hangs
from tests.hangs import pytest_runtest_call, pytest_runtest_setup, pytest_runtest_teardown

hangs.LIMIT_S, hangs.AGAIN_S = 1.0, 0.5
"""

HANGING = """
import asyncio
import time
import pytest

@pytest.fixture
async def torn_down():
    yield
    print("torn down")

@pytest.fixture
async def stuck(torn_down):
    yield
    await asyncio.sleep(600)

@pytest.fixture
async def unset():
    await asyncio.sleep(601)

async def test_end(stuck): pass
async def test_start(unset): pass
async def test_itself(torn_down): await asyncio.sleep(602)
async def test_holds_up_the_loop(): time.sleep(603)
def test_without_a_loop(): time.sleep(604)
async def test_goes_on(): pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGALRM")
@pytest.mark.parametrize("loop", [pytest.param("asyncio", marks=pytest.mark.long), "uvloop"])
def test_what_hangs_fails_and_says_where(tmp_path: Path, loop: str) -> None:
    factory = (
        "import asyncio, uvloop\ndef pytest_asyncio_loop_factories(): return {'one': %s.new_event_loop}\n"
    )
    (tmp_path / "conftest.py").write_text(CONFTEST + factory % loop)
    (tmp_path / "test_hanging.py").write_text(HANGING)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-rA",
            "-p",
            "no:cacheprovider",
            "-o",
            "asyncio_mode=auto",
            tmp_path,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    outcomes = set(re.findall(r"^(PASSED|FAILED|ERROR) .*::(\w+)", done.stdout, re.MULTILINE))
    assert outcomes == {
        ("PASSED", "test_end"),
        ("ERROR", "test_end"),
        ("ERROR", "test_start"),
        ("FAILED", "test_itself"),
        ("FAILED", "test_holds_up_the_loop"),
        ("FAILED", "test_without_a_loop"),
        ("PASSED", "test_goes_on"),
    }, done.stdout
    assert done.stdout.count("torn down\n") >= 2
    for number in range(600, 605):
        assert f"sleep({number})" in done.stdout
