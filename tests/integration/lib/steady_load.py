"""Rows and schema changes at a modest, steady pace until told to stop, also while the source is away: who loses the
connection comes back. What a lost connection had asked for may have been done or not."""
import multiprocessing
import random
import threading
import time

import pymysql

from . import workload

# Lost, refused, killed, shutting down, too many, read-only.
AWAY = {0, 1040, 1053, 1152, 1158, 1159, 1160, 1161, 1180, 1290, 1317, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
PAUSE_SECONDS = 0.02
BACK_SECONDS = 0.1


def is_away(error):
    return isinstance(error, pymysql.err.InterfaceError) or error.args[0] in AWAY


class Writer(workload.Writer):
    def run(self):
        self.random = random.Random(self.seed)
        connection = None
        while not self.stop.is_set():
            try:
                connection = connection or self.connect(autocommit=False)
                with connection.cursor() as cursor:
                    changed = self.transaction(cursor)
                connection.commit()
                with self.counter.get_lock():
                    self.counter.value += changed
                time.sleep(PAUSE_SECONDS)
            except pymysql.err.Error as error:
                if is_away(error):
                    connection = None
                    time.sleep(BACK_SECONDS)
                elif error.args[0] in workload.GONE:
                    connection.rollback()
                else:
                    raise


class SteadyLoad:
    """`tables` names those that create_tables made. One load at a time on them."""

    def __init__(self, server, tables, kinds, seed=1, first=0, pause=0.25, writers=2):
        self.server, self.pause = server, pause
        self.rows = multiprocessing.Value("Q", 0)
        self.is_ending = multiprocessing.Event()
        self.writers = [Writer(server.connect, seed * 1000 + n, tables, 0, self.rows, self.is_ending)
                        for n in range(writers)]
        self.changes = workload.SchemaChanges(server.connect(), seed, tables, kinds, first)
        self.error = None
        self.thread = threading.Thread(target=self._change, daemon=True)
        for writer in self.writers:
            writer.start()
        self.thread.start()

    def _change(self):
        try:
            while not self.is_ending.wait(self.pause):
                try:
                    self.changes.step()
                except pymysql.err.Error as error:
                    if not is_away(error):
                        raise
                    self._come_back()
        except Exception as error:  # told by whoever stops the load
            self.error = error

    def _come_back(self):
        self.changes.number += 10  # names of what may be there
        while not self.is_ending.wait(BACK_SECONDS):
            try:
                self.changes.connection = self.server.connect()
                return
            except pymysql.err.Error as error:
                if not is_away(error):
                    raise

    def done(self):
        """Row changes and schema changes so far."""
        return self.rows.value, len(self.changes.carried)

    def stop(self):
        """Ends it; returns the schema changes that were surely made."""
        self.is_ending.set()
        self.thread.join(60)
        for writer in self.writers:
            writer.join(60)
        assert not self.thread.is_alive(), "the schema changes do not end"
        if self.error:
            raise self.error
        codes = [writer.exitcode for writer in self.writers]
        assert not any(codes), f"writers ended with {codes}"
        return self.changes
