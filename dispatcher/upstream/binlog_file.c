#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/uri.h"
#include "dispatcher/core/binlog/frame.h"
#include "dispatcher/upstream/adapters.h"
#include "dispatcher/upstream/binlog_directory.h"
#include "dispatcher/upstream/log_location.h"

#define READ_SIZE (256 * 1024)
/* MariaDB's max_allowed_packet goes to 1 GiB; an event is that and its frame. */
#define EVENT_BYTES_MAX ((UINT32_C(1) << 30) + (UINT32_C(1) << 20))
#define GROWTH_POLL_MS 100

typedef struct {
    upstream_t base;
    arena_t arena; /* uri and list of files */
    const char *path, *log_base;
    bool is_following;
    uint64_t heartbeat_ns;
    int wake; /* eventfd, readable once interrupted */
    atomic_bool is_interrupted;

    binlog_path_t *files;
    uint32_t file_count, file; /* the open one */
    int fd;
    uint64_t offset;      /* in the file, of the byte at `start` */
    uint64_t group_start; /* offset of the newest GTID event of this file */
    uint8_t *buf;
    size_t size, start, end; /* unread bytes are [start, end) */
    binlog_frame_t frame;
    log_location_t location;
} binlog_file_t;

static void close_file(binlog_file_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

static void destroy(upstream_t **upstream)
{
    binlog_file_t *self = (binlog_file_t *)*upstream;
    *upstream = NULL;
    if (!self)
        return;
    close_file(self);
    if (self->wake >= 0)
        close(self->wake);
    free(self->buf);
    arena_clear(&self->arena);
    free(self);
}

static sluice_error_t open_file(binlog_file_t *self, uint32_t index, error_report_t *report)
{
    close_file(self);
    const binlog_path_t *file = &self->files[index];
    self->fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (self->fd < 0)
        return error_report_set(report, SLUICE_ERROR_IO, "%s: %s", file->path, strerror(errno));
    self->file = index;
    self->offset = self->group_start = 0;
    self->start = self->end = 0;
    binlog_frame_init(&self->frame, BINLOG_CHECKSUM_NONE);
    log_location_set_file(&self->location, bytes_of_text(file->name));
    return SLUICE_OK;
}

static sluice_error_t parse_options(binlog_file_t *self, const upstream_options_t *options,
                                    error_report_t *report)
{
    static const char *const known[] = {"follow", "base", NULL};
    uri_t uri;
    uint64_t follow;
    sluice_error_t error = uri_parse(bytes_of_text(options->uri), &self->arena, &uri, report);
    if (error == SLUICE_OK)
        error = uri_check_parameters(&uri, known, report);
    if (error == SLUICE_OK)
        error = uri_parameter_number(&uri, "follow", 0, 1, 0, &follow, report);
    if (error != SLUICE_OK)
        return error;
    if (uri.host[0] != '\0' || uri.path[0] == '\0')
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "a source of binary log files is binlog:///directory or "
                                "binlog:///directory/file");
    uint64_t unused;
    if (gtid_list_sequence(options->anchor.gtid_list, 0, &unused) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_MALFORMED, "'%s' is no GTID list",
                                options->anchor.gtid_list);
    self->path = uri.path;
    self->log_base = uri_parameter(&uri, "base");
    self->is_following = follow != 0;
    self->heartbeat_ns = options->heartbeat_ns;
    return SLUICE_OK;
}

static sluice_error_t open_log(const upstream_options_t *options, upstream_t **upstream,
                               error_report_t *report)
{
    binlog_file_t *self = memory_zalloc(sizeof *self);
    self->base.api = &upstream_binlog_file;
    self->fd = -1;
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&self->is_interrupted, false);
    uint32_t first = 0;
    sluice_error_t error = parse_options(self, options, report);
    if (error == SLUICE_OK)
        error = binlog_directory_list(self->path, self->log_base, &self->arena, &self->files,
                                      &self->file_count, report);
    if (error == SLUICE_OK)
        error = binlog_directory_find(self->files, self->file_count, options->anchor.gtid_list,
                                      &first, report);
    if (error == SLUICE_OK)
        error = open_file(self, first, report);
    *upstream = &self->base;
    if (error != SLUICE_OK)
        destroy(upstream);
    return error;
}

typedef enum { FILL_OK, FILL_END, FILL_FAILED } fill_t;

/* Makes `need` unread bytes stand in one piece in the buffer. FILL_END: the file has not so many
 * (yet). */
static fill_t fill(binlog_file_t *self, size_t need, error_report_t *report)
{
    if (self->start + need > self->size) {
        if (self->end > self->start)
            memmove(self->buf, self->buf + self->start, self->end - self->start);
        self->end -= self->start;
        self->start = 0;
        if (need > self->size || !self->buf) {
            self->size = need > READ_SIZE ? need : READ_SIZE;
            self->buf = memory_realloc(self->buf, self->size);
        }
    }
    while (self->end - self->start < need) {
        ssize_t len = read(self->fd, self->buf + self->end, self->size - self->end);
        if (len == 0)
            return FILL_END;
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0) {
            (void)error_report_set(report, SLUICE_ERROR_IO, "%s: %s", self->files[self->file].path,
                                   strerror(errno));
            return FILL_FAILED;
        }
        self->end += (size_t)len;
    }
    return FILL_OK;
}

static upstream_result_t fail(binlog_file_t *self, const char *what, error_report_t *report)
{
    (void)error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                           "%s is damaged at offset %llu: %s; every group that begins before "
                           "offset %llu is whole",
                           self->files[self->file].path, (unsigned long long)self->offset, what,
                           (unsigned long long)self->group_start);
    return UPSTREAM_FAILED;
}

/* Looks again which files there are; the open one keeps its place. */
static void list_again(binlog_file_t *self)
{
    binlog_path_t *files;
    uint32_t count;
    arena_t arena = {0};
    if (binlog_directory_list(self->path, self->log_base, &arena, &files, &count, NULL) ==
            SLUICE_OK &&
        files[count - 1].number > self->files[self->file_count - 1].number) {
        uint64_t number = self->files[self->file].number;
        for (uint32_t i = 0; i < count; i++) {
            files[i].path = arena_strdup(&self->arena, files[i].path);
            files[i].name = strrchr(files[i].path, '/') + 1;
            if (files[i].number == number)
                self->file = i;
        }
        self->files = arena_alloc(&self->arena, count * sizeof *files);
        memcpy(self->files, files, count * sizeof *files);
        self->file_count = count;
    }
    arena_clear(&arena);
}

typedef enum { WAIT_AGAIN, WAIT_HEARTBEAT, WAIT_INTERRUPTED } wait_t;

/* Sleeps until the log may have grown, at most one heartbeat. */
static wait_t wait_for_growth(binlog_file_t *self)
{
    mono_ns_t end = mono_add(clock_mono(), self->heartbeat_ns);
    struct pollfd wake = {.fd = self->wake, .events = POLLIN};
    size_t unread = self->end - self->start;
    while (!atomic_load(&self->is_interrupted)) {
        poll(&wake, 1, GROWTH_POLL_MS);
        if (fill(self, unread + 1, NULL) != FILL_END)
            return WAIT_AGAIN;
        list_again(self);
        if (self->file + 1 < self->file_count)
            return WAIT_AGAIN;
        if (mono_reached(end, clock_mono()))
            return WAIT_HEARTBEAT;
    }
    return WAIT_INTERRUPTED;
}

/* The open file has no whole event left. UPSTREAM_EVENT: look again, in this file or the next. */
static upstream_result_t at_end_of_file(binlog_file_t *self, error_report_t *report)
{
    bool is_cut = self->end > self->start;
    if (self->file + 1 < self->file_count) {
        /* The server may have written the rest of this file before it began the next. */
        if (fill(self, self->end - self->start + 1, report) == FILL_OK)
            return UPSTREAM_EVENT;
        if (is_cut)
            return fail(self, "the file ends in the middle of an event", report);
        return open_file(self, self->file + 1, report) == SLUICE_OK ? UPSTREAM_EVENT
                                                                    : UPSTREAM_FAILED;
    }
    if (!self->is_following)
        return is_cut ? fail(self, "the file ends in the middle of an event", report)
                      : UPSTREAM_END;
    switch (wait_for_growth(self)) {
    case WAIT_AGAIN:
        return UPSTREAM_EVENT;
    case WAIT_HEARTBEAT:
        return UPSTREAM_CAUGHT_UP;
    case WAIT_INTERRUPTED:
        return UPSTREAM_INTERRUPTED;
    }
    return UPSTREAM_FAILED;
}

static upstream_result_t take_event(binlog_file_t *self, uint32_t len, raw_event_t *event,
                                    error_report_t *report)
{
    error_report_t inner = {0};
    bytes_t whole = bytes_of(self->buf + self->start, len);
    if (binlog_frame_check(&self->frame, whole, &event->bytes, &inner) != SLUICE_OK)
        return fail(self, inner.text, report);
    uint8_t type = whole.data[4];
    if (type == BINLOG_GTID)
        self->group_start = self->offset;
    if (type == BINLOG_START_ENCRYPTION) {
        (void)error_report_set(report, SLUICE_ERROR_SOURCE_SETTINGS,
                               "%s is encrypted; read it through its server, or record logs with "
                               "encrypt_binlog=0",
                               self->files[self->file].path);
        return UPSTREAM_FAILED;
    }
    event->location = log_location_at(&self->location, self->offset);
    self->start += len;
    self->offset += len;
    return UPSTREAM_EVENT;
}

/* UPSTREAM_EVENT without bytes: look again. */
static upstream_result_t try_next(binlog_file_t *self, raw_event_t *event, error_report_t *report)
{
    *event = (raw_event_t){0};
    size_t need = self->offset == 0 ? BINLOG_MAGIC_SIZE : BINLOG_HEADER_SIZE;
    fill_t filled = fill(self, need, report);
    if (filled == FILL_OK && self->offset == 0) {
        if (memcmp(self->buf + self->start, BINLOG_MAGIC, BINLOG_MAGIC_SIZE) != 0)
            return fail(self, "it is no binary log", report);
        self->start += BINLOG_MAGIC_SIZE;
        self->offset += BINLOG_MAGIC_SIZE;
        return UPSTREAM_EVENT;
    }
    uint32_t len = 0;
    if (filled == FILL_OK) {
        binlog_header_t header;
        bytes_t body;
        sluice_error_t error = binlog_header_parse(
            bytes_of(self->buf + self->start, BINLOG_HEADER_SIZE), &header, &body);
        len = header.length;
        if (error != SLUICE_OK || len < BINLOG_HEADER_SIZE || len > EVENT_BYTES_MAX)
            return fail(self, "the length of an event is impossible", report);
        filled = fill(self, len, report);
    }
    if (filled == FILL_FAILED)
        return UPSTREAM_FAILED;
    if (filled == FILL_END)
        return at_end_of_file(self, report);
    return take_event(self, len, event, report);
}

static upstream_result_t next_event(upstream_t *upstream, raw_event_t *event,
                                    error_report_t *report)
{
    binlog_file_t *self = (binlog_file_t *)upstream;
    upstream_result_t result = UPSTREAM_EVENT;
    while (result == UPSTREAM_EVENT) {
        if (atomic_load_explicit(&self->is_interrupted, memory_order_relaxed))
            return UPSTREAM_INTERRUPTED;
        result = try_next(self, event, report);
        if (event->location)
            return result;
    }
    return result;
}

static void interrupt(upstream_t *upstream)
{
    binlog_file_t *self = (binlog_file_t *)upstream;
    atomic_store(&self->is_interrupted, true);
    uint64_t one = 1;
    ssize_t written = write(self->wake, &one, sizeof one);
    (void)written; /* a full counter is readable as well */
}

const upstream_api_t upstream_binlog_file = {
    .open = open_log, .next = next_event, .interrupt = interrupt, .close = destroy};
