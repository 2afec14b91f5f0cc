"""aiocache, on Redis, by its decorators.

defaults: `@cached(ttl=…, cache=Cache.REDIS)`. Nothing keeps two callers from calling together.
best:     `@cached_stampede(lease=…)`, "to avoid cache stampede effects". The lease is 10 s (2 s unless said otherwise), above
          what the origin may take.
"""
import importlib.metadata
import os
import sys
from urllib.parse import urlsplit

from aiocache import Cache, cached, cached_stampede
from aiocache.serializers import JsonSerializer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "serve"))
import serve

redis = urlsplit(serve.REDIS_URL)
settings = {
    "cache": Cache.REDIS,
    "endpoint": redis.hostname,
    "port": redis.port,
    "serializer": JsonSerializer(),
    "ttl": serve.TTL_S,
    "key_builder": lambda _, id: f"item-{id}",
}
loader = {}


async def item(id):
    return await loader["load"](id)


item = cached_stampede(lease=10, **settings)(item) if serve.BEST else cached(**settings)(item)


async def get(id, load):
    loader["load"] = load
    return await item(id)


serve.serve_async("aiocache " + importlib.metadata.version("aiocache"), get)
