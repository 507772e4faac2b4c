"""A MariaDB server of our own: temporary directory, unix socket and a free loopback port, ended by process id."""
import atexit
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile

import pymysql

from .waiting import wait_until

SOURCE_OPTIONS = [
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--binlog-row-image=FULL",
    "--binlog-row-metadata=FULL",
    "--gtid-strict-mode=1",
    "--sync-binlog=0",
]

_template = None


def base_directory():
    """In memory where there is room for it: what is tested is not the disk, and thousands of tables take a while there."""
    try:
        room = os.statvfs("/dev/shm")
    except FileNotFoundError:
        return None
    return "/dev/shm" if room.f_bavail * room.f_frsize > 6 << 30 else None


_given_ports = set()
_port_locks = open(os.path.join(tempfile.gettempdir(), "sluice-test-ports"), "ab")


def free_port():
    """Nobody listens on it, the kernel gives it to no connection, and other tests are kept from it while this one runs:
    by a lock on that byte of a file."""
    while True:
        port = random.randrange(10000, 32000)
        try:
            fcntl.lockf(_port_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        if port not in _given_ports:
            _given_ports.add(port)
            return port


def _install(directory):
    """With a directory of its own for temporary tables: a server that starts removes all that it finds there."""
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={directory}",
         f"--tmpdir={os.path.dirname(directory)}",
         "--auth-root-authentication-method=normal", "--skip-test-db",
         "--innodb-log-file-size=16M"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _installed_template():
    """A data directory to copy for each server, made once: for all tests of a build directory, else for this process."""
    global _template
    if _template:
        return _template
    build = os.environ.get("SLUICE_BUILD")
    if not build:
        base = tempfile.mkdtemp(prefix="sluice-mariadb-template-", dir=base_directory())
        atexit.register(shutil.rmtree, base, True)
        _install(f"{base}/data")
        _template = f"{base}/data"
        return _template
    _template = f"{build}/tests/integration/mariadb-data"
    with open(f"{_template}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(_template):
            shutil.rmtree(f"{_template}.new", ignore_errors=True)
            _install(f"{_template}.new")
            os.rename(f"{_template}.new", _template)
    return _template


class MariaDB:
    def __init__(self, name, server_id, options=(), on_disk=False):
        self.name = name
        self.server_id = server_id
        self.directory = tempfile.mkdtemp(prefix=f"sluice-{name}-",
                                          dir=None if on_disk else base_directory())
        self.data = f"{self.directory}/data"
        self.socket = f"{self.directory}/s.sock"
        self.error_log = f"{self.directory}/error.log"
        self.general_log = f"{self.directory}/general.log"
        self.port = free_port()
        self.options = list(options)
        self.process = None

    def start(self):
        if not os.path.isdir(self.data) or not os.listdir(self.data):
            shutil.copytree(_installed_template(), self.data, dirs_exist_ok=True)
        command = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={self.data}",
                   f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                   f"--server-id={self.server_id}", f"--log-error={self.error_log}",
                   f"--pid-file={self.directory}/pid", f"--tmpdir={self.directory}",
                   "--innodb-buffer-pool-size=256M", "--innodb-log-file-size=64M",
                   "--innodb-flush-log-at-trx-commit=0", "--max-connections=400",
                   "--performance-schema=OFF"] + self.options
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(f"{self.name} answers", self._answers, 60)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.error_log, errors="replace") as log:
                raise RuntimeError(f"{self.name} ended at once:\n{log.read()[-3000:]}")
        try:
            self.connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def connect(self, **arguments):
        arguments.setdefault("charset", "utf8mb4")
        arguments.setdefault("autocommit", True)
        arguments.setdefault("user", "root")
        return pymysql.connect(unix_socket=self.socket, **arguments)

    def sql(self, *statements):
        """Runs statements on one connection, returns the rows of the last."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def uri(self):
        return f"mariadb://root@127.0.0.1:{self.port}"

    def gtid_sequence(self, domain=0):
        position = self.sql("SELECT @@gtid_binlog_pos")[0][0]
        for gtid in filter(None, position.split(",")):
            parts = gtid.split("-")
            if int(parts[0]) == domain:
                return int(parts[2])
        return 0

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def remove(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)
