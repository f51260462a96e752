"""Which blocks of the pages a test does not run, and why; what stands in for the rest of a machine."""

import shutil
import sys
from collections.abc import Mapping

from server import cli

NOT_RUN: Mapping[str, str] = {
    "pipx install dist/": "pipx makes such an environment as the section below; `vestnik` runs until it is interrupted",
    "pip install ./packages/vestnik_bot": "the environment of the tests has it",
    "VESTNIK_URL=": "tests/bots/test_examples.py runs it",
    "apt-get install -y nginx": "tests/deploy/test_https.py runs the site",
    "docker compose": "needs a docker engine",
    "SECRET_KEY=$(openssl rand -hex 32) docker compose": "the same; tests/test_containers.py loads the file",
}
"""How a block begins, and who runs it instead, or why nobody does."""

AWAITED: Mapping[str, str] = {
    "DATA_DIR=/var/lib/vestnik /opt/vestnik/bin/vestnik backup": "check",
    "systemctl stop vestnik.socket": "restore",
}
"""How a block begins, and the command without which it is not run."""

_SYSTEMCTL = r"""
case "$*" in *vestnik*) ;; *) exit 0 ;; esac
alive() { kill -0 "$(cat "$R/pid")" 2>/dev/null; }
case "$1" in stop | restart)
    kill "$(cat "$R/pid")"
    while alive; do sleep 0.05; done ;;
esac
case "$1" in enable | start | restart) ;; *) exit 0 ;; esac
units="$R/etc/systemd/system"
mkdir -p "$R/var/lib/private/vestnik"
ln -sfn private/vestnik "$R/var/lib/vestnik"
cd "$R/var/lib/vestnik"
: >"$R/journal"
env -i $(sed -n 's/^Environment=//p' "$units/vestnik.service" | sed "s#%S#$R/var/lib#g") \
    $(cat "$R/etc/vestnik/vestnik.env") BCRYPT_COST=4 \
    HOST=127.0.0.1 PORT="$(sed -n 's/^ListenStream=127.0.0.1://p' "$units/vestnik.socket")" \
    "$R$(sed -n 's/^ExecStart=//p' "$units/vestnik.service")" >>"$R/journal" 2>&1 &
echo $! >"$R/pid"
until grep -q '"serving"' "$R/journal"; do
    alive || { cat "$R/journal" >&2; exit 1; }
    sleep 0.05
done
"""
"""Starts and stops the service with the command, the settings and the port of its unit files."""

STUBS: Mapping[str, str] = {
    "apt-get": "",
    "scp": "",
    "systemctl": _SYSTEMCTL,
    "journalctl": 'cat "$R/journal"',
    "python3": f'exec "{sys.executable}" "$@"',
    "make": f'exec "{shutil.which("make")}" -o .venv/run -o frontend/dist/index.html "$@"',
}
"""What needs root, systemd or another machine. `R` is the folder that stands for the root of the file system. `make`
takes the environment and the client of this checkout as they are."""


def why_not(block: str) -> str | None:
    """Why a block is not run; None if it is."""
    for beginning, reason in NOT_RUN.items():
        if block.startswith(beginning):
            return reason
    for beginning, command in AWAITED.items():
        if block.startswith(beginning) and command not in cli._RUN:
            return f"there is no `vestnik {command}` yet"
    return None
