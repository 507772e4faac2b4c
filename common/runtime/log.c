#include "common/runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/uri.h"

#define MESSAGE_MAX 2048

static struct {
    pthread_mutex_t mutex; /* guards path and file; a line is one write under it */
    char *path;
    int file;
    _Atomic(log_format_t) format;
    _Atomic(log_level_t) level;
    atomic_uint_fast64_t dropped;
} sink = {.mutex = PTHREAD_MUTEX_INITIALIZER, .file = STDERR_FILENO, .level = LOG_LEVEL_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};
#define LEVEL_COUNT (sizeof level_names / sizeof level_names[0])

const char *log_level_name(log_level_t level)
{
    return (size_t)level < LEVEL_COUNT ? level_names[level] : "unknown";
}

bool log_level_parse(const char *text, log_level_t *level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *level = (log_level_t)i;
            return true;
        }
    if (strcmp(text, "warn") != 0)
        return false;
    *level = LOG_LEVEL_WARNING;
    return true;
}

bool log_format_parse(const char *text, log_format_t *format)
{
    bool is_json = strcmp(text, "json") == 0;
    if (!is_json && strcmp(text, "logfmt") != 0)
        return false;
    *format = is_json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT;
    return true;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static void replace_file(int file)
{
    if (sink.file != STDERR_FILENO)
        close(sink.file);
    sink.file = file;
}

sluice_error_t log_open(const char *path, log_format_t format, log_level_t level)
{
    int file = path ? open_file(path) : STDERR_FILENO;
    if (file < 0)
        return SLUICE_ERROR_IO;
    pthread_mutex_lock(&sink.mutex);
    replace_file(file);
    free(sink.path);
    sink.path = path ? memory_strdup(path) : NULL;
    sink.format = format;
    sink.level = level;
    pthread_mutex_unlock(&sink.mutex);
    return SLUICE_OK;
}

sluice_error_t log_reopen(void)
{
    sluice_error_t error = SLUICE_OK;
    pthread_mutex_lock(&sink.mutex);
    if (sink.path) {
        int file = open_file(sink.path);
        if (file < 0)
            error = SLUICE_ERROR_IO;
        else
            replace_file(file);
    }
    pthread_mutex_unlock(&sink.mutex);
    return error;
}

void log_set_level(log_level_t level)
{
    sink.level = level;
}

bool log_is_enabled(log_level_t level)
{
    return level >= sink.level;
}

uint64_t log_dropped(void)
{
    return sink.dropped;
}

/* A pipe is written to only when it has room for the whole line (POLLOUT promises PIPE_BUF bytes,
 * and LOG_LINE_MAX is no more): so the write cannot block. */
static void write_line(const char *line, size_t len)
{
    pthread_mutex_lock(&sink.mutex);
    struct pollfd ready = {.fd = sink.file, .events = POLLOUT};
    bool has_room = poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT);
    ssize_t written = has_room ? write(sink.file, line, len) : -1;
    pthread_mutex_unlock(&sink.mutex);
    if (written != (ssize_t)len)
        atomic_fetch_add(&sink.dropped, 1);
}

void log_event(log_level_t level, const char *component, const char *changefeed,
               const char *message, const log_attribute_t *fields, size_t field_count)
{
    if (!log_is_enabled(level))
        return;
    char line[LOG_LINE_MAX];
    size_t len = log_format_line(sink.format, clock_wall(), level, component, changefeed, message,
                                 fields, field_count, line);
    write_line(line, len);
}

void log_printf(log_level_t level, const char *component, const char *changefeed,
                const char *format, ...)
{
    if (!log_is_enabled(level))
        return;
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    log_event(level, component, changefeed, message, NULL, 0);
}

bool log_limiter_allow(log_limiter_t *limiter, mono_ns_t now, uint64_t *suppressed)
{
    if (mono_reached(limiter->window_end, now)) {
        limiter->window_end = mono_add(now, LOG_LIMITER_WINDOW_NS);
        limiter->allowed = 0;
    }
    if (limiter->allowed == LOG_LIMITER_LINES) {
        limiter->suppressed++;
        *suppressed = 0;
        return false;
    }
    limiter->allowed++;
    *suppressed = limiter->suppressed;
    limiter->suppressed = 0;
    return true;
}
