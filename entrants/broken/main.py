"""Wrong on purpose: it caches nothing, says 200 where the origin has no item, and takes the origin's failure for an item."""
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            body = urllib.request.urlopen(os.environ["ORIGIN_URL"] + self.path).read() if "items" in self.path else b"ok"
        except urllib.error.HTTPError as error:
            body = error.read()
        self.send_response(200)
        self.send_header("Cache-Status", "broken; fwd=miss")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


host, port = os.environ["LISTEN"].rsplit(":", 1)
ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
