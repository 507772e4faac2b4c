"""Stands between a client and a server on loopback and does to their connections what networks do."""
import contextlib
import socket
import threading


class TcpProxy:
    def __init__(self, port):
        self.target = port
        self.lock = threading.Lock()
        self.open = set()  # sockets of both sides
        self.accepted = 0
        self.is_refusing = False
        self.to_server, self.to_client = threading.Event(), threading.Event()
        self.thaw()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepted += 1
                is_refusing = self.is_refusing
            if is_refusing:
                client.close()
            else:
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client):
        if not self.to_client.is_set():
            self.to_server.wait()  # nothing at all passes: not even a connection
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        with self.lock:
            self.open |= {client, server}
        threading.Thread(target=self._pump, args=(client, server, self.to_server), daemon=True).start()
        self._pump(server, client, self.to_client)

    def _pump(self, source, sink, flows):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(1 << 16)
                flows.wait()
                if not data:
                    break
                sink.sendall(data)
        self._end(source, sink)

    def _end(self, *sockets):
        with self.lock:
            self.open -= set(sockets)
        for it in sockets:
            with contextlib.suppress(OSError):
                it.shutdown(socket.SHUT_RDWR)
            it.close()

    def refuse(self, is_refusing):
        """New connections end at once; those that are there end too."""
        with self.lock:
            self.is_refusing = is_refusing
        if is_refusing:
            self.cut()

    def cut(self):
        with self.lock:
            sockets = list(self.open)
        self._end(*sockets)

    def freeze(self, to_server=True, to_client=True):
        """Nothing passes, in these directions, and nobody is told."""
        if to_server:
            self.to_server.clear()
        if to_client:
            self.to_client.clear()

    def thaw(self):
        self.to_server.set()
        self.to_client.set()

    def close(self):
        self.listener.close()
        self.thaw()
        self.cut()
