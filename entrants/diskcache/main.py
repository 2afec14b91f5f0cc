"""diskcache 5 (PyPI): a cache in files and SQLite, shared by the processes of one machine.

defaults: `Cache(directory)` and `@cache.memoize(expire=TTL)`, as the docstring of `memoize` shows it.
best: `@memoize_stampede(cache, expire=TTL)`, which the documentation (case study "Landing Page Caching") ends with: early
recomputation by chance (XFetch) in a thread. beta is left at 1, "otherwise the default is reasonable". While an
item is refreshed, for as long as its last read took, nobody else refreshes it; what is not there is protected by nothing. Its other recipe,
`barrier`, has one lock for the whole function, so that all items would wait for each other.

Both keep their entries in one directory for all replicas: "thread-safe and process-safe" is how it is meant. It is the folder above
SCRATCH. On three hosts there would be three directories and each would read the origin for itself: `shared` would be false (SQLite's
WAL, which it uses, does not work over a network file system). Redis is not used: when it is lost, nothing is lost here.
"""
import os

import diskcache

from serve import BEST, TTL_S, serve_threads

cache = diskcache.Cache(os.path.join(os.path.dirname(os.path.abspath(os.environ["SCRATCH"])), "diskcache"))
memoize = diskcache.memoize_stampede(cache, expire=TTL_S, ignore={1}) if BEST else cache.memoize(expire=TTL_S, ignore={1})


@memoize
def get(id, load):
    return load(id)


if __name__ == "__main__":
    serve_threads(f"diskcache {diskcache.__version__}", get)
