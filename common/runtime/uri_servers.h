/*
 * A URI that names several servers of one and the same content, as MariaDB's and PostgreSQL's
 * clients write it: mariadb://user@db1:3306,db2:3306/?parameters, and what names each of them.
 *
 * Threads: values. Nothing here touches the machine.
 */
#ifndef SLUICE_COMMON_RUNTIME_URI_SERVERS_H
#define SLUICE_COMMON_RUNTIME_URI_SERVERS_H

#include "common/base/arena.h"
#include "common/base/error.h"

#define URI_SERVERS_MAX 16

typedef struct {
    const char *uri;  /* of this server alone, with the user and the parameters of all */
    const char *name; /* host and port as they were written: for log lines and reports */
} uri_server_t;

/* Any URI that uri_parse takes is a list of one. SLUICE_ERROR_CONFIGURATION: as uri_parse; a list
 * with an empty place, with a server twice, of more than URI_SERVERS_MAX, or beside a socket. */
sluice_error_t uri_servers_parse(bytes_t text, arena_t *arena, const uri_server_t **servers,
                                 uint32_t *count, error_report_t *report) SLUICE_MUST_USE;

#endif
