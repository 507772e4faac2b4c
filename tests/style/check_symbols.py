#!/usr/bin/env python3
"""The linker keeps cores pure: no object of a pure library may need a socket, file, thread, clock,
log, environment, or random number, so that the simulator's world is all there is.

usage: check_symbols.py NM LIBRARY...
"""
import re
import subprocess
import sys

# exit is not among them: uthash calls it when memory runs out.
FORBIDDEN = re.compile(
    r"^(_*(printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|fputc|putc|putchar|perror)(_chk)?"
    r"|f?open(at|64)?|fdopen|close|f?read|f?write|pread.*|pwrite.*|lseek.*|fseek.*|f?close|unlink"
    r"|rename|mkdir|stat|fstat|mmap|fsync|fdatasync|stdin|stdout|stderr"
    r"|socket|bind|listen|accept4?|connect|send(to|msg)?|recv(from|msg)?|shutdown|getaddrinfo"
    r"|poll|ppoll|select|pselect|epoll_.*|eventfd|signalfd|pipe2?"
    r"|clock_.*|time|gettimeofday|localtime(_r)?|mktime|nanosleep|usleep|sleep|alarm|timer_.*"
    r"|pthread_.*|thrd_.*|mtx_.*|cnd_.*|sem_.*|fork|vfork|exec.*|system|popen|signal|sigaction|raise"
    r"|getenv|secure_getenv|setenv|setlocale|_exit|quick_exit"
    r"|rand|srand|rand_r|random|srandom|drand48|getrandom|getentropy|arc4random.*"
    r"|syslog|openlog"
    r"|zmq_.*|z(sock|msg|frame|actor|poller|loop|sys|clock|hash|list)_.*|mysql_.*|mariadb_.*"
    r"|sqlite3_.*|MHD_.*|curl_.*|json_.*|yaml_.*)$"
)

# Object → what it may need all the same, and why.
ALLOWED = {
    # Running out of memory ends the process with a line.
    "memory.c.o": {"fprintf", "__fprintf_chk", "stderr", "_exit", "write"},
    # The one structure that threads share.
    "block_status_buffer.c.o": {
        "pthread_mutex_init", "pthread_mutex_destroy", "pthread_mutex_lock",
        "pthread_mutex_unlock", "pthread_mutexattr_init", "pthread_mutexattr_settype",
        "pthread_mutexattr_destroy", "pthread_cond_init", "pthread_cond_destroy", "pthread_cond_wait",
        "pthread_cond_signal", "pthread_cond_broadcast",
    },
}


def complaints(nm, library):
    output = subprocess.run([nm, "-u", library], check=True, capture_output=True, text=True).stdout
    member = library
    for line in output.splitlines():
        if line.endswith(":"):
            member = line[:-1]
            continue
        symbol = line.split()[-1].split("@")[0] if line.strip() else ""
        allowed = next((v for k, v in ALLOWED.items() if member.endswith(k)), set())
        if FORBIDDEN.match(symbol) and symbol not in allowed:
            yield f"{library}({member}) needs {symbol}"


def main():
    nm, libraries = sys.argv[1], sys.argv[2:]
    if not libraries:
        sys.exit("no libraries given")
    found = [line for library in libraries for line in complaints(nm, library)]
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
