"""A service that knows nothing of keys: it answers with what it was asked for, and who the proxy says has asked. PORT is its argument."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shows(BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/":
            self.send_error(404)
            return
        assert "Authorization" not in self.headers and "X-API-Key" not in self.headers
        who, role = self.headers.get_all("X-Keystead-Username", [""]), self.headers.get_all("X-Keystead-Role", [""])
        assert len(who) == 1 and self.headers["X-Keystead-User"].startswith("user_")
        assert self.headers["X-Keystead-Key"].startswith("key_")
        body = f"{self.command} {self.path} for {who[0]} as {role[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shows).serve_forever()
