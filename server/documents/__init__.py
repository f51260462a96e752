"""The documents for people who write clients: OpenAPI of REST, AsyncAPI of both sockets, made from the registries."""

from server.documents.serving import add_documents

__all__ = ["add_documents"]
