"""Gates talk to `ChatApp` and to nothing beneath it."""

import ast

from tests.test_layers import MODULES, found_in, imports, nodes_of

COMPOSITION_ROOT = "server/app.py"
FACADE = {"handlers.chat_app"}
MORE = {
    "server/config.py": {"handlers.policy", "handlers.live.passwords"},
    # What is done where no server runs.
    "server/command_line.py": {
        "handlers.live.clock",
        "handlers.live.passwords",
        "handlers.live.setup",
        "handlers.operator",
    },
    "server/uploads_command.py": {"handlers.operator"},
    # The port that it implements, its gate, and when clients come back.
    "server/engine_hub.py": {"handlers.live.hub", "handlers.live.freshness"},
    "server/hooks/incoming.py": {
        "handlers.hooks.incoming",
        "handlers.hooks.payloads",
        "handlers.live.limits",
    },
    "server/hooks/plain_answers.py": {"handlers.hooks.incoming"},
    "server/hooks/poster.py": {"handlers.hooks.posting", "handlers.hooks.targets"},
    "server/issuer.py": {
        "handlers.issuer.key_sources",
        "handlers.issuer.keys",
        "handlers.issuer.tokens",
        "handlers.live.clock",
    },
    "server/key_set_fetcher.py": {"handlers.issuer.key_sources"},
    "server/setting_readers.py": {"handlers.issuer.keys"},
    "server/nodes/bus_inbox.py": {"handlers.live.hub"},
    "server/nodes/bus_service.py": {"handlers.live.hub"},
    "server/nodes/bus_spreader.py": {"handlers.live.hub"},
    "server/nodes/gate.py": {"handlers.live.freshness"},
    "server/nodes/peers.py": {"handlers.live.peers"},
}
OPEN_A_STORE = {
    "server/backup_command.py",
    "server/backup_file.py",
    "server/bot_command.py",
    "server/check_command.py",
    "server/command_line.py",
    "server/export_command.py",
    "server/first_admin.py",
    "server/restore_command.py",
    "server/serving.py",
    "server/uploads_command.py",
    "server/user_command.py",
}
"""What opens a store, or reports that it cannot be opened."""

EXPORTS = "server/exports/"
"""What reads a whole store, as a backup does."""

NODES = "server/nodes/"
"""What speaks to other servers does it through the ports of the store."""

GATES = [
    module
    for module in MODULES
    if module.startswith("server/") and not module.startswith("server/engine/") and module != COMPOSITION_ROOT
]


def beneath(module: str) -> set[str]:
    """What a gate imports of the handlers beside the words of the wire and what it may."""
    used = {name for name in imports(module) if name.startswith("handlers")}
    return {name for name in used if not name.startswith("handlers.wire.")} - FACADE - MORE.get(module, set())


def test_gates_import_the_facade_and_the_words_of_the_wire() -> None:
    assert found_in(GATES, beneath) == {}


def of_storage(module: str) -> set[str]:
    used = {name for name in imports(module) if name.split(".")[0] == "storage"}
    if module.startswith(EXPORTS):
        used -= {"storage.backup_ports"}
    if module.startswith(NODES):
        used -= {"storage.errors", "storage.node_ports"}
    return used


def test_only_what_opens_a_store_imports_it() -> None:
    assert found_in([module for module in GATES if module not in OPEN_A_STORE], of_storage) == {}


def test_nothing_reaches_through_the_facade() -> None:
    reached = [
        f"{module}:{node.lineno}"
        for module in GATES
        for node in nodes_of(module)
        if isinstance(node, ast.Attribute)
        and node.attr == "context"
        and ast.unparse(node.value).lower().endswith(("chat_app", "chat_app]"))
    ]
    assert reached == []


def test_the_check_knows_the_ways_to_reach_through() -> None:
    for code in ("self._chat_app.context.hub", "request.app[CHAT_APP].context", "chat_app.context"):
        (node,) = [
            node
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Attribute) and node.attr == "context"
        ]
        assert ast.unparse(node.value).lower().endswith(("chat_app", "chat_app]"))
