"""dogpile.cache, on its Redis backend, by `region.get_or_create`.

defaults: the backend's address and expiration_time. One thread of a process creates an expired value, the others of that
          process are given the old one; processes do not know of each other.
best:     distributed_lock with thread_local_lock off ("use this when multiple processes will be talking to the same redis
          instance"), a lock_timeout, redis_expiration_time "larger than dogpile's cache expiration", and the
          async_creation_runner of its documentation: an expired value is created in a thread, and nobody waits.
"""
import importlib.metadata
import os
import sys
import threading

from dogpile.cache import make_region

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "serve"))
import serve


def in_a_thread(cache, key, creator, mutex):
    """As in the documentation of `async_creation_runner`."""
    def run():
        try:
            cache.set(key, creator())
        finally:
            mutex.release()

    threading.Thread(target=run, daemon=True).start()


arguments = {"url": serve.REDIS_URL}
if serve.BEST:
    arguments.update(distributed_lock=True, thread_local_lock=False, lock_timeout=10,
                     redis_expiration_time=int(6 * serve.TTL_S) + 1)
region = make_region(async_creation_runner=in_a_thread if serve.BEST else None).configure(
    "dogpile.cache.redis", expiration_time=serve.TTL_S, arguments=arguments)


def get(id, load):
    return region.get_or_create(f"item-{id}", lambda: load(id))


serve.serve_threads("dogpile.cache " + importlib.metadata.version("dogpile.cache"), get)
