"""cashews, on Redis.

defaults: `@cache(ttl=…)`, the simple cache of its documentation. `protected` is on unless told otherwise, and lets one call a
          key and process through. (It belongs to the decorated function: decorate once, not once a request.)
best:     `@cache.early(ttl=…, early_ttl=…)`, "that tries to solve the cache stampede problem": from early_ttl on (0.7 of the
          TTL, as in its example) one caller of the fleet recalculates in the background, under a lock in Redis.
"""
import importlib.metadata
import os
import sys
from datetime import timedelta

from cashews import cache

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "serve"))
import serve

cache.setup(serve.REDIS_URL)
if serve.BEST:
    cached = cache.early(ttl=timedelta(seconds=serve.TTL_S), early_ttl=timedelta(seconds=0.7 * serve.TTL_S), key="item:{id}")
else:
    cached = cache(ttl=timedelta(seconds=serve.TTL_S), key="item:{id}")


loader = {}


@cached
async def item(id):
    return await loader["load"](id)


async def get(id, load):
    loader["load"] = load
    return await item(id)


serve.serve_async("cashews " + importlib.metadata.version("cashews"), get)
