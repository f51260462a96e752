"""Decides what a request changes: pure functions of the request and a view of the state.

A decision returns the change that the store has to make, or what the caller gets if there is nothing to change. It
raises a `domain.refusals.Refusal` if the request is refused. The order of the checks is part of the wire's contract;
membership comes first, so that a stranger learns nothing else.
"""
