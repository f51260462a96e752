"""Names in `.env` that are mistyped."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.env_file import mistyped, warn_of_mistyped


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MESAGES_PER_S=5", {"MESAGES_PER_S": "MESSAGES_PER_S"}),
        ("export Public_Url = x", {"Public_Url": "PUBLIC_URL"}),
        ("TRUSTED_PROXY=127.0.0.1\nPORT=1", {"TRUSTED_PROXY": "TRUSTED_PROXIES"}),
        ("MESSAGES_PER_S=5\nSECRET_KEY=x\nRATE_LIMITS=off\nHOST=x", {}),
        ("BACKEND_MEMORY=1g\nMONGO_MEMORY=2g\nBACKEND_ADDRESS=0.0.0.0\nVITE_WS_URL=", {}),
        ("# MESAGES_PER_S=5\n#PORTT=1\n\n=\n", {}),
    ],
)
def test_what_looks_like_a_setting_and_is_none(text: str, found: dict[str, str]) -> None:
    assert mistyped(text) == found


def test_the_log_names_both_and_no_value(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    with capture_logs() as logs:
        warn_of_mistyped(file)
        file.write_bytes(b"SECRET_KEI=\xff")
        warn_of_mistyped(file)
        assert logs == []
        file.write_text("SECRET_KEI=do-not-tell")
        warn_of_mistyped(file)
    (line,) = logs
    assert (line["name"], line["setting"]) == ("SECRET_KEI", "SECRET_KEY")
    assert "do-not-tell" not in str(line)
