/*
 * A unix socket in front of a server's that passes everything on, until it is told to lose an
 * answer: then the next COMMIT still reaches the server, is carried out, and the connection ends
 * before its answer comes back. One connection at a time is looked at.
 */
#ifndef SLUICE_TESTS_INTEGRATION_SINK_CUTTING_PROXY_H
#define SLUICE_TESTS_INTEGRATION_SINK_CUTTING_PROXY_H

typedef struct cutting_proxy cutting_proxy_t;

/* Listens on `path` for connections to the server at `server_path`; a thread of its own. */
cutting_proxy_t *cutting_proxy_start(const char *path, const char *server_path);
void cutting_proxy_stop(cutting_proxy_t **proxy);

/* From any thread: loses the answer of the next COMMIT. */
void cutting_proxy_lose_next_commit(cutting_proxy_t *proxy);

#endif
