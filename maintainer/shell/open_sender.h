/*
 * CHANGEFEED_OPEN in pieces: configuration, anchor, schema snapshot, and the DDLs behind it, read
 * from the meta store.
 *
 * Threads: the actor's.
 */
#ifndef SLUICE_MAINTAINER_SHELL_OPEN_SENDER_H
#define SLUICE_MAINTAINER_SHELL_OPEN_SENDER_H

#include "maintainer/meta/meta_store.h"
#include "maintainer/shell/control_router.h"

/* Well below MESSAGE_BYTES_MAX, so that configuration and frame fit beside it. */
#define OPEN_PIECE_BYTES (1024 * 1024)

/* Called with every piece in order. */
typedef void open_piece_t(void *context, const changefeed_open_t *piece);

/* Cuts `whole` into pieces that can be sent each; its own piece fields are ignored. A DDL larger
 * than OPEN_PIECE_BYTES is a piece by itself. */
void open_sender_cut(const changefeed_open_t *whole, open_piece_t *take, void *context);

/* Carries out EFFECT_SEND_OPEN. Errors are those of the meta store. */
sluice_error_t open_sender_send(meta_store_t *store, control_router_t *router, mono_ns_t now,
                                const effect_t *effect, error_report_t *report) SLUICE_MUST_USE;

#endif
