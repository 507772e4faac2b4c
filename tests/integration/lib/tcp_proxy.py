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
        self.flows = threading.Event()
        self.flows.set()
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
        self.flows.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        with self.lock:
            self.open |= {client, server}
        threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
        self._pump(server, client)

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(1 << 16)
                self.flows.wait()
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

    def freeze(self):
        """Nothing passes and nobody is told."""
        self.flows.clear()

    def thaw(self):
        self.flows.set()

    def close(self):
        self.listener.close()
        self.thaw()
        self.cut()
