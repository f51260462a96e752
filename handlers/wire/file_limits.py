"""Bounds of files that are no settings."""

AVATAR_BYTES_MAX = 5 * 1024 * 1024

FILE_OVERHEAD_BYTES = 64 * 1024
"""What a body may have around each file: names, fields, boundaries."""
