"""Reads a whole database for a backup, and fills a new one."""
