"""Attacks on the real program, and what another user notices of them.

Attackers and the bystander are processes of their own, on the core that the server does not use; attackers have the
lowest priority. `python -m tests.attacks` prints a table; the tests run short forms of the same attacks."""
