"""What `docs/guarantees.md` promises and no single module can: held against whole servers."""
