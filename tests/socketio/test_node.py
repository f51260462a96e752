"""Without Node the tests of the official client are skipped, but not where everything has to be tested."""

import pytest

from tests.socketio import node


@pytest.mark.parametrize(
    ("ci", "outcome"), [(None, pytest.skip.Exception), ("true", pytest.fail.Exception)], ids=["here", "CI"]
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, ci: str | None, outcome: type[BaseException]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(outcome, match="node is not installed"):
        node.need_node()
    monkeypatch.undo()
    monkeypatch.setattr(node, "DRIVER", node.DRIVER.parent / "elsewhere" / "client.mjs")
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/node")
    assert node.missing() == "tests/node/node_modules is missing: run npm ci in tests/node"
