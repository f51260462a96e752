"""The login of the users' own backend, as the settings want it."""

from collections.abc import AsyncIterator, Callable

from aiohttp import web

from handlers.issuer.key_sources import FetchedKeys, FixedKeys
from handlers.issuer.keys import read_public_key
from handlers.issuer.tokens import IssuerTokens
from handlers.live.clock import Clock
from server.key_set_fetcher import KeySetFetcher
from server.keys import CONFIG

ISSUER = web.AppKey("issuer", IssuerTokens)
"""Absent if the settings name no issuer."""


def issuer_opened(clock: Clock) -> Callable[[web.Application], AsyncIterator[None]]:
    """A context in which the application has the tokens of the issuer that the settings name, and fetches its keys."""

    async def open_issuer(app: web.Application) -> AsyncIterator[None]:
        config = app[CONFIG]
        if config.jwt_public_key_file is not None:
            fixed = FixedKeys(read_public_key(config.jwt_public_key_file.read_bytes()))
            app[ISSUER] = IssuerTokens(fixed, config.jwt_issuer, config.jwt_audience, clock)
        if not config.jwks_url:
            yield
            return
        fetcher = KeySetFetcher(config.jwks_url, ca_file=config.ssl_cert_file)
        keys = FetchedKeys(fetcher.fetch, clock)
        app[ISSUER] = IssuerTokens(keys, config.jwt_issuer, config.jwt_audience, clock)
        keys.start()
        yield
        await keys.close()
        await fetcher.close()

    return open_issuer
