"""A service that knows nothing of keys: it answers with what it was asked for, and who the proxy says has asked."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAID = {f"x-keystead-{what}" for what in ("user", "username", "key", "team", "role")}
NOT_FOR_IT = {"authorization", "x-api-key"}


def wrong(headers):
    """What is wrong with the headers that came through, or None."""
    if found := NOT_FOR_IT & {name.lower() for name in headers}:
        return f"{found} came through"
    # Some programs take underscores for hyphens.
    names = [name.lower() for name in headers if name.lower().replace("_", "-") in SAID]
    if len(names) != len(set(names)) or set(names) - SAID:
        return f"said twice: {sorted(names)}"
    for name, form in [("user", "user_01"), ("key", "key_01"), ("team", "team_01"), ("username", "")]:
        said = headers[f"X-Keystead-{name}"] or ""
        if not said.startswith(form) and (name, said) != ("team", ""):
            return f"{name} is {said}"
    return None


class Shows(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        read = len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.server.asked += 1
        if fault := wrong(self.headers):
            self.reply(500, f"the service: {fault}\n")
            return
        who, role = self.headers["X-Keystead-Username"], self.headers["X-Keystead-Role"] or ""
        more = f" with {read} bytes" if read > 100 else ""
        self.reply(200, f"{self.command} {self.path} for {who} as {role}{more}\n")

    def reply(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = answer

    def log_message(self, *_):
        pass


class Service(ThreadingHTTPServer):
    """Answers on a port of its own, and counts what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Shows)
        self.asked = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()
