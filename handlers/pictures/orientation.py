"""The one tag of EXIF that is kept: how a picture has to be turned to be shown."""

import struct

EXIF_HEADER = b"Exif\0\0"
_ORIENTATION = 0x0112
_SHORT = 3
_ENTRIES_MAX = 1000
UPRIGHT = 1


def orientation_of(exif: bytes) -> int:
    """The orientation in EXIF data, with or without `EXIF_HEADER`: 1 to 8; 1 if there is none that can be read."""
    tiff = exif.removeprefix(EXIF_HEADER)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(min(count, _ENTRIES_MAX)):
            tag, kind, _number, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and 1 <= value <= 8 else UPRIGHT
    except struct.error:  # it ends too early
        return UPRIGHT
    return UPRIGHT


def exif_with(orientation: int) -> bytes:
    """EXIF data, without `EXIF_HEADER`, that says the orientation and nothing else."""
    one_entry = struct.pack(">HHHIHH", 1, _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">I", 8) + one_entry + struct.pack(">I", 0)
