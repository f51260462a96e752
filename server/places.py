"""Where the files are that are no Python: in this package where it is installed, beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def place_of(name: str, in_checkout: str) -> Path:
    """The folder of that name in the package, where setup.py puts it; without one, the folder of a checkout."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / in_checkout
