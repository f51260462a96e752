"""Operations that are no calls of commands: files, incoming hooks, the documents, health, metrics."""

from collections.abc import Iterator, Mapping

from server.about import AboutServer
from server.documents.file_calls import file_operations
from server.documents.hooks import incoming_hook
from server.documents.operations import JSON, TEXT, Answers, Operation, Part, error_schema, header
from server.documents.samples import Request
from server.documents.shapes import Shapes
from server.health import Health


def other_operations(shapes: Shapes) -> Iterator[Operation]:
    """All operations that `server.rest.routes` does not list."""
    yield from file_operations(shapes)
    yield incoming_hook()
    yield from _server(shapes)


def _server(shapes: Shapes) -> Iterator[Operation]:
    yield _open(
        "get_server", "/api/server", "What clients may know before login.", _json(shapes.of(AboutServer))
    )
    unchanged: Answers = {304: ("Unchanged", {})}
    for kind, says in (
        ("openapi", "This document: REST, in OpenAPI 3.1."),
        ("asyncapi", "Both sockets, in AsyncAPI 3.0."),
    ):
        tag = {200: {"ETag": header("Of the document")}}
        answers = {**_json({"type": "object"}), **unchanged}
        yield _open(f"get_{kind}", f"/api/{kind}.json", says, answers, headers=tag)
    yield _open("is_live", "/health/live", "Whether the server runs.", _json(shapes.of(Health)))
    yield _open(
        "is_ready",
        "/health/ready",
        "Whether the server serves: 503 while its store does not, while it does not know what other nodes did, and "
        "while it stops.",
        {
            **_json(shapes.of(Health)),
            503: ("Not ready", {JSON: {"anyOf": [shapes.of(Health), error_schema("unavailable")]}}),
        },
    )
    yield Operation(
        id="get_metrics",
        method="GET",
        path="/metrics",
        description="Metrics in the text format of Prometheus. It needs `METRICS_TOKEN` in place of an access token; "
        "without that setting there is nothing here.",
        tag="server",
        answers={200: ("Done", {"text/plain": TEXT})},
        codes=frozenset({"unauthenticated", "not_found"}),
        request=Request("GET", "/metrics", saves="metrics.txt"),
    )


def _open(
    operation_id: str,
    path: str,
    description: str,
    answers: Answers,
    headers: Mapping[int, Mapping[str, Part]] | None = None,
) -> Operation:
    """A GET without a token."""
    return Operation(
        id=operation_id,
        method="GET",
        path=path,
        description=description,
        tag="server",
        answers=answers,
        public=True,
        headers=headers or {},
        request=Request("GET", path, has_token=False),
    )


def _json(schema: Part) -> dict[int, tuple[str, Mapping[str, Part]]]:
    return {200: ("Done", {JSON: schema})}
