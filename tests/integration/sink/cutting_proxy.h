/*
 * A unix socket in front of a server's that passes everything on, until it is told to lose an
 * answer (then the next COMMIT still reaches the server, is carried out, and the connection ends
 * before its answer comes back), or to end a connection at any other statement.
 */
#ifndef SLUICE_TESTS_INTEGRATION_SINK_CUTTING_PROXY_H
#define SLUICE_TESTS_INTEGRATION_SINK_CUTTING_PROXY_H

#include <stdbool.h>

typedef struct cutting_proxy cutting_proxy_t;

/* Listens on `path` for connections to the server at `server_path`; a thread of its own. */
cutting_proxy_t *cutting_proxy_start(const char *path, const char *server_path);
void cutting_proxy_stop(cutting_proxy_t **proxy);

/* From any thread: loses the answer of the next COMMIT. */
void cutting_proxy_lose_next_commit(cutting_proxy_t *proxy);

/* From any thread: with what a client sends as the n-th from now on, on whatever connection, that
 * ends: before it arrives, or after it was carried out, in place of the answer. 0: none does. */
void cutting_proxy_cut_at(cutting_proxy_t *proxy, unsigned n, bool arrives);
/* That has not happened yet. */
bool cutting_proxy_is_armed(const cutting_proxy_t *proxy);

#endif
