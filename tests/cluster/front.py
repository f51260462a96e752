"""nginx in front of the nodes: each request goes to the next node, whoever sends it."""

from collections.abc import Sequence
from pathlib import Path

from tests.clients.programs import need
from tests.cluster.process import Process

CONFIGURATION = """
daemon off; master_process off; pid {place}/pid; error_log {place}/log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    upstream nodes {{ {servers} }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off;
            proxy_read_timeout 3600s;
        }}
    }}
}}
"""


class Front(Process):
    """nginx without stickiness. A node that does not answer is tried again at its next turn."""

    def __init__(self, place: Path, node_ports: Sequence[int]) -> None:
        super().__init__(place)
        self._node_ports = node_ports

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in self._node_ports)
        text = CONFIGURATION.format(place=self.place, servers=servers, port=self.port)
        (self.place / "nginx.conf").write_text(text)
        return [need("nginx"), "-c", str(self.place / "nginx.conf"), "-e", str(self.place / "log")]
