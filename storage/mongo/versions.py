"""The version of what this node understands in the database."""

FORMAT = 4
"""The newest format of stored data that this version reads: rises by one when a version adds a kind of change, which
names the number (`domain.changes.change`). Servers of several versions may share a database: a row of a kind is written
only while all of them have its format."""
