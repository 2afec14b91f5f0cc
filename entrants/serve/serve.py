"""What every Python entrant needs and no cache library does: settings, the origin, HTTP, and `Cache-Status`.

An entrant stores what `load` returns: a dict of the body, when it was read, and the read's name. So each answer can say by
itself how it was made, whatever the library: a value younger than its request was waited for, and one older than TTL is stale.
"""
import asyncio
import os
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LISTEN = os.environ.get("LISTEN", "127.0.0.1:9001")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
ORIGIN_URL = os.environ.get("ORIGIN_URL", "http://127.0.0.1:8090").rstrip("/")
TTL_S = int(os.environ.get("TTL_MS", "5000")) / 1000
BEST = os.environ.get("SETTINGS", "defaults") == "best"
HEADERS = {"lab-replica": os.environ.get("REPLICA", "0")}
HOST, PORT = LISTEN.rsplit(":", 1)
SLACK_S = 0.05  # an entry is stored a moment after it was read, so it lives that much longer without being stale
_unclaimed = set()  # reads of this process that no answer has been counted for yet


class NotFound(Exception):
    """The origin has no such item."""


class OriginFailed(Exception):
    """The origin failed, or was not reached."""


def read_value(status, body):
    """The value to be cached, of an origin's answer."""
    if status == 404:
        raise NotFound
    if status != 200:
        raise OriginFailed(f"the origin said {status}")
    name = uuid.uuid4().hex
    _unclaimed.add(name)
    return {"body": body, "at": time.time(), "by": name}


def cache_status(value, began):
    """How an answer was made, as RFC 9211 says it."""
    if value["at"] >= began:
        if value["by"] in _unclaimed:
            _unclaimed.discard(value["by"])
            return "entrant; fwd=miss"
        return "entrant; fwd=miss; collapsed"
    left = TTL_S - (time.time() - value["at"])
    return f"entrant; hit; ttl={int(left) if left >= 0 else 0 if left > -SLACK_S else int(left) - 1}"


def failure(error):
    """Status and text of an exception: the origin's own, wherever a library has wrapped it, else a 500."""
    cause = error
    while cause is not None:
        if isinstance(cause, NotFound):
            return 404, "no such item\n"
        if isinstance(cause, OriginFailed):
            return 502, f"{cause}\n"
        cause = cause.__cause__ or cause.__context__
    return 500, f"{type(error).__name__}: {error}\n"


def serve_async(version, get):
    """`get(id, load)` is a coroutine function that answers with a value; `load(id)` reads the origin."""
    from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

    async def main():
        session = ClientSession(timeout=ClientTimeout(total=5), connector=TCPConnector(limit=0), headers=HEADERS)

        async def load(id):
            try:
                async with session.get(f"{ORIGIN_URL}/items/{id}") as answer:
                    return read_value(answer.status, await answer.text())
            except (ClientError, asyncio.TimeoutError) as error:
                raise OriginFailed(repr(error)) from error

        async def item(request):
            began = time.time()
            try:
                value = await get(request.match_info["id"], load)
            except Exception as error:
                status, text = failure(error)
                return web.Response(status=status, text=text)
            headers = {"Cache-Status": cache_status(value, began)}
            return web.Response(text=value["body"], content_type="application/json", headers=headers)

        async def say(text):
            return web.Response(text=text)

        app = web.Application()
        app.router.add_get("/items/{id}", item)
        app.router.add_get("/healthz", lambda _: say("ok\n"))
        app.router.add_get("/version", lambda _: say(version + "\n"))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, int(PORT), backlog=1024).start()
        await asyncio.Event().wait()

    asyncio.run(main())


def serve_threads(version, get):
    """The same for a library that blocks: a thread for each connection; `get` and `load` are plain functions."""
    import urllib3

    pool = urllib3.PoolManager(maxsize=100, headers=HEADERS, timeout=5, retries=False)

    def load(id):
        try:
            answer = pool.request("GET", f"{ORIGIN_URL}/items/{id}")
        except urllib3.exceptions.HTTPError as error:
            raise OriginFailed(repr(error)) from error
        return read_value(answer.status, answer.data.decode())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one packet an answer

        def do_GET(self):
            began = time.time()
            path, status, extra = self.path, 200, {}
            if path.startswith("/items/"):
                try:
                    value = get(path[len("/items/"):], load)
                    text, extra = value["body"], {"Cache-Status": cache_status(value, began)}
                except Exception as error:
                    status, text = failure(error)
            else:
                text = {"/healthz": "ok\n", "/version": version + "\n"}.get(path)
                status = 404 if text is None else 200
            body = (text or "").encode()
            self.send_response(status)
            for name, said in {"Content-Length": len(body), **extra}.items():
                self.send_header(name, str(said))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((HOST, int(PORT)), Handler, bind_and_activate=False)
    server.daemon_threads, server.request_queue_size = True, 1024
    server.server_bind()
    server.server_activate()
    server.serve_forever()
