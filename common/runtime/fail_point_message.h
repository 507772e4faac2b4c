/* The points of a message that is sent; see fail_point.h. Threads: any. */
#ifndef SLUICE_COMMON_RUNTIME_FAIL_POINT_MESSAGE_H
#define SLUICE_COMMON_RUNTIME_FAIL_POINT_MESSAGE_H

#include "common/runtime/fail_point.h"
#include "common/wire/message.h"

#ifdef SLUICE_FAIL_POINTS

/* `peer` is the receiving node, NULL on a node. */
#define FAIL_POINT_SEND(message, peer)                                                             \
    (fail_point_any_armed() ? fail_point_message((message), "send", (peer)) : SLUICE_OK)
#define FAIL_POINT_SENT(message, peer)                                                             \
    (fail_point_any_armed() ? fail_point_message((message), "sent", (peer)) : SLUICE_OK)

/* The points of everything in it, one after the other; the first error counts. */
sluice_error_t fail_point_message(const message_t *message, const char *moment, const char *peer);

#else

#define FAIL_POINT_SEND(message, peer) ((void)sizeof(message), (void)sizeof(peer), SLUICE_OK)
#define FAIL_POINT_SENT(message, peer) ((void)sizeof(message), (void)sizeof(peer), SLUICE_OK)

#endif

#endif
