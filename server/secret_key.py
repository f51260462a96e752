"""The key of all tokens: the setting SECRET_KEY, or a key that is made once and kept in `DATA_DIR`."""

import os
import secrets
from pathlib import Path

BYTES_MIN = 32
"""HMAC-SHA-256 keys below this are weaker than the hash (RFC 7518, 3.2)."""


def secret_key_file(data_dir: Path) -> Path:
    """Where a key that was made is kept."""
    return data_dir / "secret_key"


def given_key(text: str) -> str:
    """The setting, if it is text. Raises: `ValueError`."""
    try:
        # Python makes lone surrogates of bytes in the environment that are no UTF-8.
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("SECRET_KEY: is not UTF-8 text") from None
    return text


def kept_key(data_dir: Path) -> str:
    """The key in `DATA_DIR`, made with mode 0600 if there is none. Raises: `ValueError`."""
    path = secret_key_file(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
    except OSError as error:
        raise ValueError(f"DATA_DIR: cannot keep a secret key in {data_dir}: {error.strerror}") from None
    try:
        key = path.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(
            f"SECRET_KEY: {path} is not UTF-8 text; put the right file back, or delete it to have a new key made,"
            " with which all access tokens are invalid"
        ) from None
    except OSError as error:
        raise ValueError(f"SECRET_KEY: {path} cannot be read: {error.strerror}") from None
    if not key:
        raise ValueError(f"SECRET_KEY: {path} is empty; delete it to have a new key made")
    return key


def _write_once(path: Path, text: str) -> None:
    """Writes a file that only its owner can read and that is never there in part. If another process writes it in the
    same moment, the file of the first one stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            _give_to_owner_of(path.parent, file.fileno())
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _give_to_owner_of(folder: Path, file: int) -> None:
    """A command that root runs before the first start leaves a key that the server can read."""
    owner = folder.stat()
    if hasattr(os, "geteuid") and os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(file, owner.st_uid, owner.st_gid)
