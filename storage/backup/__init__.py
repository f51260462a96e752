"""The format of a backup: records of JSON in a tar archive, what is counted and verified, and records to values."""
