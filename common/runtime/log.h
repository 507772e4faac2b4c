/*
 * One line an event: time (UTC, milliseconds), level, component, changefeed, message, fields; as
 * logfmt or JSON, to stderr or a file.
 *
 * Values are escaped, so that a line stays a line whatever a peer sent; passwords in URIs are
 * redacted. A line is written at once or, when a pipe that nobody reads is full, dropped and
 * counted: logging never blocks. Lines are at most LOG_LINE_MAX bytes, longer ones are cut.
 *
 * Threads: any. log_open and log_reopen: the main thread.
 */
#ifndef SLUICE_COMMON_RUNTIME_LOG_H
#define SLUICE_COMMON_RUNTIME_LOG_H

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/log_attribute.h"
#include "common/base/log_level.h"
#include "common/base/time.h"

#define LOG_LINE_MAX 4096

typedef enum { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON } log_format_t;

/* Where and how. `path` NULL: stderr. Before the first call lines go to stderr as logfmt from INFO
 * up. SLUICE_ERROR_IO: the file cannot be opened, everything stays as it was. */
sluice_error_t log_open(const char *path, log_format_t format, log_level_t level) SLUICE_MUST_USE;

/* Opens the file again by its name (log rotation). SLUICE_ERROR_IO: the old one stays in use. */
sluice_error_t log_reopen(void) SLUICE_MUST_USE;

void log_set_level(log_level_t level);
bool log_is_enabled(log_level_t level);

/* false when the text is none of debug, info, warning (warn), error. */
bool log_level_parse(const char *text, log_level_t *level);
const char *log_level_name(log_level_t level);
/* false when the text is none of logfmt, json. */
bool log_format_parse(const char *text, log_format_t *format);

/* `changefeed` is its name or NULL. The message is plain text for people; what a program may want
 * to find goes into fields. */
void log_event(log_level_t level, const char *component, const char *changefeed,
               const char *message, const log_attribute_t *fields, size_t field_count);

/* log_event with fields written in place: LOG (LOG_LEVEL_INFO, "node", name, "opened", log_number
 * (…)).
 */
#define LOG(level, component, changefeed, message, ...)                                            \
    log_event(level, component, changefeed, message, (const log_attribute_t[]){__VA_ARGS__},       \
              sizeof((const log_attribute_t[]){__VA_ARGS__}) / sizeof(log_attribute_t))

/* A line without fields, formatted. */
void log_printf(log_level_t level, const char *component, const char *changefeed,
                const char *format, ...) SLUICE_PRINTF(4, 5);

/* Lines that were dropped because the reader of our output did not keep up. */
uint64_t log_dropped(void);

/* Formats a line (with its newline) without writing it; returns its length. For log_event and its
 * tests. */
size_t log_format_line(log_format_t format, wall_ms_t at, log_level_t level, const char *component,
                       const char *changefeed, const char *message, const log_attribute_t *fields,
                       size_t field_count, char line[LOG_LINE_MAX]);

/* A bound on lines that a peer can cause: one limiter an occasion, all zero at first. */
typedef struct {
    mono_ns_t window_end;
    uint32_t allowed;
    uint64_t suppressed;
} log_limiter_t;

#define LOG_LIMITER_LINES 5
#define LOG_LIMITER_WINDOW_NS (10 * NS_PER_S)

/* Whether this line may be written: at most LOG_LIMITER_LINES in LOG_LIMITER_WINDOW_NS. When true
 * `*suppressed` is the number of lines that were held back since the last one allowed. One thread a
 * limiter. */
bool log_limiter_allow(log_limiter_t *limiter, mono_ns_t now, uint64_t *suppressed);

#endif
