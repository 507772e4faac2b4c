/*
 * The replication server ids of this process: every reader of a log needs one that nobody else uses
 * with that server, whatever changefeed it reads for (a server ends the older of two connections
 * with one id). They belong to the process, so this is kept for the whole of it.
 *
 * Threads: any.
 */
#ifndef SLUICE_DISPATCHER_SHELL_SERVER_IDS_H
#define SLUICE_DISPATCHER_SHELL_SERVER_IDS_H

#include <stdint.h>

#include "common/base/error.h"

/* Of each node: server_id_base + SERVER_IDS_PER_NODE * slot is its first. */
#define SERVER_IDS_PER_NODE 64
/* The last one is for looking at a source before it is read. */
#define SERVER_ID_NUMBER_CHECK (SERVER_IDS_PER_NODE - 1)

/* One of those that begin at `first`, for readers. SLUICE_ERROR_FULL: all are in use. */
sluice_error_t server_ids_claim(uint32_t first, uint32_t *server_id) SLUICE_MUST_USE;
void server_ids_release(uint32_t server_id);

#endif
