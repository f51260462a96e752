"""Calls and commands as code to copy: curl, JavaScript and Python.

The code reads the address of the server and the access token from the environment variables VESTNIK_URL and
VESTNIK_TOKEN; the scripts in JavaScript run under Node 20 and, with other constants in their first lines, in browsers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlencode

Language = Literal["curl", "JavaScript", "Python"]

Samples = Mapping[str, str]
"""Code by language."""

BodyKind = Literal["none", "json", "form", "file"]


@dataclass(frozen=True)
class Request:
    """A request as a client makes it. `path` has its parameters in braces. The body is `json`: the `fields`; `form`:
    the `fields` and a file; `file`: the file itself; `content_type` is that of the file. `saves`: the answer is a
    file."""

    method: str
    path: str
    in_path: Mapping[str, Any] = field(default_factory=dict)
    in_query: Mapping[str, Any] = field(default_factory=dict)
    body: BodyKind = "none"
    fields: Mapping[str, Any] = field(default_factory=dict)
    file_name: str = ""
    content_type: str = ""
    has_token: bool = True
    answers: Literal["json", "text"] = "json"
    saves: str = ""

    @property
    def target(self) -> str:
        """Path and query, as they are sent."""
        path = self.path
        for name, value in self.in_path.items():
            path = path.replace("{" + name + "}", quote(_text(value), safe=""))
        query = urlencode({name: _text(value) for name, value in self.in_query.items()}, quote_via=quote)
        return f"{path}?{query}" if query else path


def samples_of(request: Request, *, answers: bool = True) -> Samples:
    """The code for a call. `answers`: the answer has a body."""
    return {
        "curl": _curl(request),
        "JavaScript": _javascript(request, answers),
        "Python": _python(request, answers),
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _curl(request: Request) -> str:
    parts = ["curl -sS --fail-with-body" + ("" if request.method == "GET" else f" -X {request.method}")]
    parts[0] += f' "$VESTNIK_URL{request.target}"'
    if request.has_token:
        parts.append('-H "Authorization: Bearer $VESTNIK_TOKEN"')
    match request.body:
        case "json":
            parts += ["-H 'Content-Type: application/json'", f"-d {_shell(_json(request.fields))}"]
        case "form":
            parts += [f"-F {_shell(f'{name}={_text(value)}')}" for name, value in request.fields.items()]
            parts.append(f"-F file=@{request.file_name}")
        case "file":
            parts += [f"-H 'Content-Type: {request.content_type}'", f"--data-binary @{request.file_name}"]
    if request.saves:
        parts.append(f"-o {request.saves}")
    return " \\\n  ".join(parts) + "\n"


def _javascript(request: Request, answers: bool) -> str:
    lines = [
        *(["import { readFile } from 'node:fs/promises'"] if request.file_name else []),
        *(["import { writeFile } from 'node:fs/promises'"] if request.saves else []),
        *([""] if request.file_name or request.saves else []),
        "const url = process.env.VESTNIK_URL",
        *(["const token = process.env.VESTNIK_TOKEN"] if request.has_token else []),
        "",
    ]
    headers = {"Authorization": "`Bearer ${token}`"} if request.has_token else {}
    options = [] if request.method == "GET" else [f"  method: '{request.method}',"]
    match request.body:
        case "json":
            headers["'Content-Type'"] = "'application/json'"
            options.append(f"  body: JSON.stringify({_json(request.fields)}),")
        case "form":
            lines.append("const form = new FormData()")
            for name, value in request.fields.items():
                lines.append(f"form.append('{name}', {_json(_text(value))})")
            name = request.file_name
            lines.append(f"form.append('file', new Blob([await readFile('{name}')]), '{name}')")
            options.append("  body: form,")
        case "file":
            headers["'Content-Type'"] = f"'{request.content_type}'"
            options.append(f"  body: await readFile('{request.file_name}'),")
    if headers:
        options.insert(
            0 if request.method == "GET" else 1,
            "  headers: { " + ", ".join(f"{name}: {value}" for name, value in headers.items()) + " },",
        )
    target = "`${url}" + request.target.replace("`", "%60") + "`"
    if options:
        lines += [f"const answer = await fetch({target}, {{", *options, "})"]
    else:
        lines.append(f"const answer = await fetch({target})")
    lines.append("if (!answer.ok) throw new Error(await answer.text())")
    if request.saves:
        lines.append(f"await writeFile('{request.saves}', Buffer.from(await answer.arrayBuffer()))")
    elif answers:
        lines.append(f"console.log(await answer.{request.answers}())")
    return "\n".join(lines) + "\n"


def _python(request: Request, answers: bool) -> str:
    lines = ["import os", "", "import requests", "", 'url = os.environ["VESTNIK_URL"]']
    options = []
    if request.has_token:
        lines.append('token = os.environ["VESTNIK_TOKEN"]')
        options.append('    headers={"Authorization": f"Bearer {token}"},')
    match request.body:
        case "json":
            options.append(f"    json={_python_value(request.fields)},")
        case "form":
            if request.fields:
                options.append(f"    data={_python_value(request.fields)},")
            options.append(f'    files={{"file": open("{request.file_name}", "rb")}},')
        case "file":
            if request.has_token:
                options.pop()
                options.append(
                    '    headers={"Authorization": f"Bearer {token}", '
                    f'"Content-Type": "{request.content_type}"}},'
                )
            options.append(f'    data=open("{request.file_name}", "rb"),')
    lines += [
        "",
        f"answer = requests.{request.method.lower()}(",
        f'    url + "{request.target}",',
        *options,
        "    timeout=30,",
        ")",
        "answer.raise_for_status()",
    ]
    if request.saves:
        lines += [f'with open("{request.saves}", "wb") as file:', "    file.write(answer.content)"]
    elif answers:
        lines.append("print(answer.json())" if request.answers == "json" else "print(answer.text)")
    return "\n".join(lines) + "\n"


def _python_value(value: Any) -> str:
    """A literal with double quotes, as formatters write it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_json(name)}: {_python_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python_value, value)) + "]"
    return _json(value) if isinstance(value, str) else repr(value)


def command_samples_of(name: str, payload: Mapping[str, Any]) -> Samples:
    """The code for a command of the sockets. curl speaks no protocol of theirs: in its place stands the raw frame."""
    frame = _json({"type": name, "id": 1, **payload})
    fields = _json(payload)
    javascript = f"""import {{ io }} from 'socket.io-client'

const socket = io(process.env.VESTNIK_URL, {{ auth: (give) => give({{ token: process.env.VESTNIK_TOKEN }}) }})
const answer = await socket.emitWithAck('{name}', {fields})
console.log(answer)
socket.close()
"""
    python = f"""import os

import socketio

with socketio.SimpleClient() as client:
    client.connect(os.environ["VESTNIK_URL"], auth={{"token": os.environ["VESTNIK_TOKEN"]}})
    print(client.call("{name}", {_python_value(payload)}))
"""
    websocket = f"""const url = process.env.VESTNIK_URL.replace('http', 'ws')
const socket = new WebSocket(`${{url}}/ws`, ['bearer', process.env.VESTNIK_TOKEN])
socket.onopen = () => socket.send(JSON.stringify({frame}))
socket.onmessage = ({{ data }}) => {{
  const frame = JSON.parse(data)
  if (frame.id !== 1) return
  console.log(frame)
  socket.close()
}}
"""
    return {"frame": frame + "\n", "WebSocket": websocket, "JavaScript": javascript, "Python": python}
