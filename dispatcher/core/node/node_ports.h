/*
 * How a node's core reaches the outside: its links to maintainers, and its host, which opens and
 * closes what a changefeed needs, looks at sources and sinks, and writes the log. The shell binds
 * them to sockets and threads, the simulator to its world. Whatever is behind a port never calls
 * the core from within a call.
 *
 * Threads: the node's one; nothing blocks.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_NODE_PORTS_H
#define SLUICE_DISPATCHER_CORE_NODE_NODE_PORTS_H

#include "common/base/log_attribute.h"
#include "common/base/log_level.h"
#include "common/wire/message.h"
#include "dispatcher/core/node/feed_port.h"
#include "dispatcher/core/node/sink_port.h"

/* One maintainer endpoint. */
typedef struct {
    void *self;
    const char *name; /* for the log; borrowed */
    /* Connects anew under an incarnation: what the old connections held is dropped. An error (out
     * of descriptors, an endpoint that is none) ends the node. */
    sluice_error_t (*connect)(void *self, incarnation_t incarnation, error_report_t *report);
    /* Sends without waiting. The header has its type, maintainer_epoch and sequence; the rest of it
     * (version, sender, incarnation of the newest connect) is filled behind the port.
     * SLUICE_ERROR_AGAIN: no peer, or no room. SLUICE_OK does not say that it arrives. */
    sluice_error_t (*send_control)(void *self, message_t *message);
    sluice_error_t (*send_status)(void *self, message_t *message);
} link_port_t;

/* What the host must know to open a changefeed: borrowed for the call. */
typedef struct {
    const changefeed_open_t *open; /* whole; its snapshot is the envelope */
    uint32_t slot;                 /* the node's, for server ids */
    bool lower_case_names;         /* out of the envelope */
    bytes_t snapshot;              /* the tracker's, out of the envelope */
} changefeed_request_t;

typedef struct {
    void *self; /* names it to host_port_t.begin_close */
    feed_port_t feed;
    sink_port_t sink;
} changefeed_ports_t;

/* Pre-flight checks at a time; places are below it. */
#define NODE_CHECKS_MAX 8

typedef struct {
    void *self;

    /* Starts feed and sink of a changefeed; what takes long happens later, and errors of that come
     * by their states. Else the report says why not and nothing was opened. */
    sluice_error_t (*open)(void *self, const changefeed_request_t *request,
                           changefeed_ports_t *ports, error_report_t *report);
    /* Ends feed and sink, which may take a while: none of its ports is used again. `forgets`: the
     * changefeed was removed, and the sink is to forget it, as well as that can be done. */
    void (*begin_close)(void *self, void *changefeed, bool forgets);
    /* The same for a removed changefeed that is not open here; returns what to ask is_closed of. */
    void *(*begin_forget)(void *self, const changefeed_close_t *close);
    /* True: it is gone, and so is `changefeed`; not asked again. */
    bool (*is_closed)(void *self, void *changefeed);

    /* Pre-flight: whatever that place held is forgotten (it has ended), and a look at source and
     * sink of the request begins, which is copied. */
    void (*begin_check)(void *self, uint32_t place, const check_request_t *request, uint32_t slot,
                        uint32_t slot_count_max);
    /* Its answer with the whole snapshot in one piece, borrowed until the place is used again.
     * NULL: not ended. */
    const check_response_t *(*check_response)(void *self, uint32_t place);

    /* One for a node that starts again; the core sees to it that it grows. */
    incarnation_t (*new_incarnation)(void *self);

    /* One line; `changefeed` is its name or NULL. */
    void (*log)(void *self, log_level_t level, const char *changefeed, const char *text,
                const log_attribute_t *fields, size_t field_count);
} host_port_t;

/* A line with fields written in place: NODE_LOG (host, LOG_LEVEL_INFO, name, "opened", log_number
 * (…)). */
#define NODE_LOG(host, level, changefeed, text, ...)                                               \
    (host)->log((host)->self, level, changefeed, text, (const log_attribute_t[]){__VA_ARGS__},     \
                sizeof((const log_attribute_t[]){__VA_ARGS__}) / sizeof(log_attribute_t))

#endif
