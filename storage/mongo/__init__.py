"""The store in MongoDB, or in what speaks its protocol. Only the modules of this package know of motor, pymongo, bson.

It is written for servers without transactions, and down to the subset of FerretDB 1.24, where only an insert under a
unique index is atomic. So whatever has to be decided is decided by such an insert: `log.py` says how.
"""

from storage.mongo.store import MongoStore

__all__ = ["MongoStore"]
