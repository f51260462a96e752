"""The version, as it was installed."""

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("vestnik")
    except PackageNotFoundError:
        return "(not installed)"


VERSION = _version()
