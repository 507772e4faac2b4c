/*
 * The live log of a server. Connector/C does login, packets and framing; the bytes of an event are
 * ours to read, since much of what it decodes is wrong (MARIADB.md §0-§1).
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <mysql.h>

#include <mariadb_rpl.h>

#include "common/base/memory.h"
#include "common/runtime/fail_point.h"
#include "dispatcher/core/binlog/frame.h"
#include "dispatcher/upstream/adapters.h"
#include "dispatcher/upstream/log_location.h"
#include "dispatcher/upstream/source_connection.h"
#include "dispatcher/upstream/source_internal.h"

#define CONNECT_TIMEOUT_S 5
#define READ_TIMEOUT_DEFAULT_S 5
#define HEARTBEAT_DEFAULT_NS NS_PER_S

typedef struct {
    upstream_t base;
    arena_t arena;
    source_address_t address;
    source_timeouts_t timeouts;
    upstream_options_t options; /* its uri in the arena */
    bool is_group_checked;
    MYSQL *mysql;
    MARIADB_RPL *stream;
    MARIADB_RPL_EVENT *event; /* the one handed out last */
    binlog_frame_t frame;
    log_location_t location;
    atomic_int socket; /* -1 before there is one */
    atomic_bool is_interrupted;
} mariadb_stream_t;

static void destroy(upstream_t **upstream)
{
    mariadb_stream_t *self = (mariadb_stream_t *)*upstream;
    *upstream = NULL;
    if (!self)
        return;
    atomic_store(&self->socket, -1);
    if (self->event)
        mariadb_free_rpl_event(self->event);
    if (self->stream)
        mariadb_rpl_close(self->stream);
    if (self->mysql)
        mysql_close(self->mysql);
    arena_clear(&self->arena);
    free(self);
}

static sluice_error_t connect_to(mariadb_stream_t *self, const upstream_options_t *options,
                                 error_report_t *report)
{
    uint64_t unused;
    if (gtid_list_sequence(options->anchor.gtid_list, 0, &unused) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_MALFORMED, "'%s' is no GTID list",
                                options->anchor.gtid_list);
    sluice_error_t error = source_address_parse(options->uri, &self->arena, &self->address, report);
    if (error != SLUICE_OK)
        return error;
    uint64_t read_s = (options->read_timeout_ns + NS_PER_S - 1) / NS_PER_S;
    self->timeouts =
        (source_timeouts_t){CONNECT_TIMEOUT_S, read_s ? (unsigned)read_s : READ_TIMEOUT_DEFAULT_S};
    error = source_connect(&self->address, self->timeouts, &self->mysql, report);
    if (error == SLUICE_OK)
        atomic_store(&self->socket, (int)mysql_get_socket(self->mysql));
    return error;
}

/* The server only sends GTIDs, checksums and heartbeats to who asks for them. */
static sluice_error_t prepare_session(mariadb_stream_t *self, const upstream_options_t *options,
                                      error_report_t *report)
{
    const char *checksum;
    sluice_error_t error = source_query_text(self->mysql, "SELECT @@global.binlog_checksum",
                                             &self->arena, &checksum, report);
    if (error != SLUICE_OK)
        return error;
    bool has_checksum = checksum && strcmp(checksum, "NONE") != 0;
    binlog_frame_init(&self->frame, has_checksum ? BINLOG_CHECKSUM_CRC32 : BINLOG_CHECKSUM_NONE);
    const char *statements[] = {
        "SET @master_binlog_checksum=@@global.binlog_checksum",
        "SET @mariadb_slave_capability=4",
        arena_printf(&self->arena, "SET @master_heartbeat_period=%" PRIu64,
                     options->heartbeat_ns ? options->heartbeat_ns : HEARTBEAT_DEFAULT_NS),
        arena_printf(&self->arena, "SET @slave_connect_state='%s'", options->anchor.gtid_list),
        options->may_miss ? "SET @slave_gtid_strict_mode=0" : "SET @slave_gtid_strict_mode=1",
    };
    for (size_t i = 0; error == SLUICE_OK && i < sizeof statements / sizeof statements[0]; i++)
        error = source_query(self->mysql, statements[i], NULL, report);
    return error;
}

/* A replica that has not received yet what was read elsewhere; alone, the server would be another
 * one than before, and says so itself. */
static sluice_error_t check_start(mariadb_stream_t *self, const upstream_options_t *options,
                                  error_report_t *report)
{
    const char *list;
    uint64_t sequence;
    if (!options->has_others)
        return SLUICE_OK;
    sluice_error_t error = source_query_text(self->mysql, "SELECT @@global.gtid_binlog_pos",
                                             &self->arena, &list, report);
    if (error != SLUICE_OK)
        return error;
    error = gtid_list_sequence(list ? list : "", options->domain, &sequence);
    if (error != SLUICE_OK || sequence >= options->anchor.commit_ts.v)
        return error;
    return error_report_set(report, SLUICE_ERROR_SOURCE_BUSY,
                            "its log ends at \"%s\", before what was read already, \"%s\"",
                            list ? list : "", options->anchor.gtid_list);
}

static sluice_error_t start_dump(mariadb_stream_t *self, const upstream_options_t *options,
                                 error_report_t *report)
{
    self->stream = mariadb_rpl_init(self->mysql);
    if (!self->stream)
        return source_error_report(self->mysql, "opening the source's log", report);
    mariadb_rpl_optionsv(self->stream, MARIADB_RPL_SERVER_ID, (unsigned)options->server_id);
    mariadb_rpl_optionsv(self->stream, MARIADB_RPL_START, 4UL);
    mariadb_rpl_optionsv(self->stream, MARIADB_RPL_FLAGS, 0u);
    if (mariadb_rpl_open(self->stream) != 0)
        return source_error_report(self->mysql, "opening the source's log", report);
    return SLUICE_OK;
}

static sluice_error_t open_stream(const upstream_options_t *options, upstream_t **upstream,
                                  error_report_t *report)
{
    *upstream = NULL;
    mariadb_stream_t *self = memory_zalloc(sizeof *self);
    self->base.api = &upstream_mariadb;
    self->options = *options;
    self->options.uri = arena_strdup(&self->arena, options->uri);
    atomic_init(&self->socket, -1);
    atomic_init(&self->is_interrupted, false);
    log_location_set_file(&self->location, bytes_of_text("log"));
    sluice_error_t error = connect_to(self, options, report);
    if (error == SLUICE_OK)
        error = check_start(self, options, report);
    if (error == SLUICE_OK)
        error = prepare_session(self, options, report);
    if (error == SLUICE_OK)
        error = start_dump(self, options, report);
    *upstream = &self->base;
    if (error != SLUICE_OK)
        destroy(upstream);
    return error;
}

/* The library's complaints about an event's content are both the stream's and the connection's
 * error, and stay there; an error of the server or the network is the connection's alone. */
static bool is_decoding_error(const mariadb_stream_t *self)
{
    unsigned error = (unsigned)mariadb_rpl_errno(self->stream);
    return error != 0 && mysql_errno(self->mysql) == error;
}

static upstream_result_t report_end(mariadb_stream_t *self, error_report_t *report)
{
    if (atomic_load(&self->is_interrupted))
        return UPSTREAM_INTERRUPTED;
    if (self->options.server_id == 0 && mysql_errno(self->mysql) == 0)
        return UPSTREAM_END;
    if (mysql_errno(self->mysql) != 0 && !is_decoding_error(self))
        (void)source_error_report(self->mysql, "reading the source's log", report);
    else
        (void)error_report_set(report, SLUICE_ERROR_SOURCE_CONNECTION,
                               "the source ended the stream of its log behind %s",
                               self->location.text);
    return UPSTREAM_FAILED;
}

/* The library's own idea of a ROTATE is wrong after the first one. */
static void follow_rotate(mariadb_stream_t *self, bytes_t body)
{
    binlog_rotate_t rotate;
    if (binlog_rotate_parse(body, &rotate) == SLUICE_OK)
        log_location_set_file(&self->location, rotate.file);
}

/* The event in what the library hands out. */
static bytes_t fetched_bytes(const MARIADB_RPL_EVENT *fetched)
{
    size_t len = fetched->raw_data_size > fetched->raw_data_ofs
                     ? fetched->raw_data_size - fetched->raw_data_ofs
                     : 0;
    if (fetched->event_length < len)
        len = fetched->event_length;
    return bytes_of(fetched->raw_data + fetched->raw_data_ofs, len);
}

/* The event of a packet whose content the library did not understand (the first event of a LOAD
 * DATA logged as a statement is one): it is still in the connection's buffer, behind the byte that
 * says "no error". False when what is there is no event. */
static bool undecoded_bytes(const mariadb_stream_t *self, bytes_t *whole)
{
    const NET *net = &self->mysql->net;
    if (!is_decoding_error(self) || !net->read_pos || net->read_pos >= net->buff_end ||
        net->read_pos[0] != 0)
        return false;
    const uint8_t *event = net->read_pos + 1;
    size_t room = (size_t)(net->buff_end - event);
    binlog_header_t header;
    bytes_t body;
    if (binlog_header_parse(bytes_of(event, room), &header, &body) != SLUICE_OK ||
        header.length < BINLOG_HEADER_SIZE || header.length > room)
        return false;
    *whole = bytes_of(event, header.length);
    return true;
}

/* The first FORMAT_DESCRIPTION says that the server has opened the file to be sent. Looked at
 * before that, the log could be reset in between. */
static sluice_error_t check_group(mariadb_stream_t *self, error_report_t *report)
{
    if (self->is_group_checked)
        return SLUICE_OK;
    self->is_group_checked = true;
    if (FAIL_POINT("source.log.opened", self->options.anchor.commit_ts.v, NULL))
        return error_report_set(report, SLUICE_ERROR_SOURCE_CONNECTION, "told to fail");
    return source_check_group(&self->options, report);
}

static upstream_result_t take_event(mariadb_stream_t *self, bytes_t whole, raw_event_t *event,
                                    error_report_t *report)
{
    error_report_t inner = {0};
    binlog_header_t header;
    bytes_t body;
    if (binlog_frame_check(&self->frame, whole, &event->bytes, &inner) != SLUICE_OK ||
        binlog_header_parse(event->bytes, &header, &body) != SLUICE_OK) {
        (void)error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT, "an event behind %s: %s",
                               self->location.text, inner.text);
        return UPSTREAM_FAILED;
    }
    if (header.type == BINLOG_ROTATE)
        follow_rotate(self, body);
    if (header.type == BINLOG_FORMAT_DESCRIPTION && check_group(self, report) != SLUICE_OK)
        return UPSTREAM_FAILED;
    if (header.type == BINLOG_HEARTBEAT)
        return UPSTREAM_CAUGHT_UP;
    event->location = log_location_at(&self->location, header.next_position > header.length
                                                           ? header.next_position - header.length
                                                           : 0);
    return UPSTREAM_EVENT;
}

static upstream_result_t next_event(upstream_t *upstream, raw_event_t *event,
                                    error_report_t *report)
{
    mariadb_stream_t *self = (mariadb_stream_t *)upstream;
    *event = (raw_event_t){0};
    if (self->event)
        mariadb_free_rpl_event(self->event);
    self->event = NULL;
    if (atomic_load_explicit(&self->is_interrupted, memory_order_relaxed))
        return UPSTREAM_INTERRUPTED;
    /* An event must never be given back for reuse: the library frees it at the end of the stream
     * and we would again. */
    self->event = mariadb_rpl_fetch(self->stream, NULL);
    bytes_t whole;
    if (self->event)
        whole = fetched_bytes(self->event);
    else if (!undecoded_bytes(self, &whole))
        return report_end(self, report);
    return take_event(self, whole, event, report);
}

static void interrupt(upstream_t *upstream)
{
    mariadb_stream_t *self = (mariadb_stream_t *)upstream;
    atomic_store(&self->is_interrupted, true);
    int fd = atomic_load(&self->socket);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

/* False: it could not be asked, or not understood. */
static bool ask_position(const mariadb_stream_t *self, arena_t *arena, const char **list,
                         uint64_t *sequence)
{
    MYSQL *mysql;
    error_report_t report;
    if (source_connect(&self->address, self->timeouts, &mysql, &report) != SLUICE_OK)
        return false;
    sluice_error_t error =
        source_query_text(mysql, "SELECT @@global.gtid_binlog_pos", arena, list, &report);
    mysql_close(mysql);
    return error == SLUICE_OK && *list &&
           gtid_list_sequence(*list, self->options.domain, sequence) == SLUICE_OK;
}

/* A server whose log was reset keeps a reader of the old one waiting, alive and silent, until the
 * new log has grown as long. */
static sluice_error_t check_position(upstream_t *upstream, commit_ts_t position,
                                     error_report_t *report)
{
    arena_t arena = {0};
    const char *list;
    uint64_t sequence;
    sluice_error_t error = SLUICE_OK;
    if (ask_position((mariadb_stream_t *)upstream, &arena, &list, &sequence) &&
        sequence < position.v)
        error = error_report_set(report, SLUICE_ERROR_SOURCE_CONNECTION,
                                 "the source's log ends at \"%s\", before what was read of it "
                                 "(sequence %" PRIu64 ")",
                                 list, position.v);
    arena_clear(&arena);
    return error;
}

const upstream_api_t upstream_mariadb = {.open = open_stream,
                                         .next = next_event,
                                         .interrupt = interrupt,
                                         .close = destroy,
                                         .check = check_position};
