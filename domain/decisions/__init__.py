"""What becomes of a request: pure functions of a view of the state and the request.

A decision returns the change that the store is to make; or, where there is nothing to change, what the caller gets
instead. It raises a `domain.refusals.Refusal` if the request is refused. The checks run in the order in which the wire
names them: whoever is not a member learns nothing else.
"""
