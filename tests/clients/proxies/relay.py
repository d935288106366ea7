"""Stands between a proxy and Keystead, so that a test can take Keystead away and give it back."""

import socket
import threading

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Relay:
    """Passes bytes on, until it is `cut`, or says 503 to every connection while it is `busy`."""

    def __init__(self, target):
        self.target = target
        self.listener = None
        self.open = set()
        self.busy = False
        self.port = 0
        self.mend()

    def cut(self):
        """Nobody listens any more, and what was open is closed."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()

    def mend(self):
        """Listens, on the same port as before."""
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def say_busy(self, busy):
        """From now on every connection is told 503, or none; what was open is closed."""
        self.busy = busy
        self.drop()

    def drop(self):
        for end in list(self.open):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            if self.busy:
                client.recv(65536)
                client.sendall(BUSY)
                return
            with socket.create_connection(self.target) as server:
                self.open |= {client, server}
                back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
                back.start()
                self.pump(client, server)
                back.join()
                self.open -= {client, server}

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
