#include "dispatcher/upstream/binlog_directory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/frame.h"

#define SUFFIX_DIGITS_MIN 6
#define FILES_MAX 1000000
/* FORMAT_DESCRIPTION and GTID_LIST; the latter has 16 bytes for each pair of domain and server. */
#define FILE_HEAD_SIZE 65536

/* "NAME.000123" → 123. */
static bool parse_suffix(const char *name, size_t *base_len, uint64_t *number)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        return false;
    const char *at = dot + 1;
    *number = 0;
    for (; isdigit((unsigned char)*at); at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    *base_len = (size_t)(dot - name);
    return *at == '\0' && at - dot - 1 >= SUFFIX_DIGITS_MIN && at - dot - 1 <= 18;
}

static int compare_files(const void *a, const void *b)
{
    const binlog_path_t *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

typedef struct {
    arena_t *arena;
    binlog_path_t *files;
    uint32_t count, max;
    const char *base; /* of the first file, or the one asked for */
    size_t base_len;
} listing_t;

static void add_file(listing_t *listing, const char *directory, const char *name, uint64_t number)
{
    if (listing->count == listing->max) {
        uint32_t max = listing->max ? listing->max * 2 : 64;
        binlog_path_t *files = arena_calloc(listing->arena, max, sizeof *files);
        if (listing->count)
            memcpy(files, listing->files, listing->count * sizeof *files);
        listing->files = files;
        listing->max = max;
    }
    const char *path = arena_printf(listing->arena, "%s/%s", directory, name);
    listing->files[listing->count++] =
        (binlog_path_t){.path = path, .name = path + strlen(directory) + 1, .number = number};
}

static sluice_error_t take_entry(listing_t *listing, const char *directory, const char *name,
                                 bool is_base_given, error_report_t *report)
{
    size_t base_len;
    uint64_t number;
    if (!parse_suffix(name, &base_len, &number))
        return SLUICE_OK;
    bool is_same = listing->base && listing->base_len == base_len &&
                   strncmp(listing->base, name, base_len) == 0;
    if (listing->base && !is_same && is_base_given)
        return SLUICE_OK;
    if (listing->base && !is_same)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "%s holds several sets of binary logs (%.*s and %.*s); add "
                                "?base=NAME to the source's URI",
                                directory, (int)listing->base_len, listing->base, (int)base_len,
                                name);
    if (listing->count == FILES_MAX)
        return error_report_set(report, SLUICE_ERROR_TOO_LARGE, "%s holds more than %d logs",
                                directory, FILES_MAX);
    add_file(listing, directory, name, number);
    if (!listing->base) {
        listing->base = listing->files[0].name;
        listing->base_len = base_len;
    }
    return SLUICE_OK;
}

static sluice_error_t list_directory(listing_t *listing, const char *path, error_report_t *report)
{
    bool is_base_given = listing->base != NULL;
    DIR *directory = opendir(path);
    if (!directory)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "the binary logs in %s cannot be listed: %s", path,
                                strerror(errno));
    sluice_error_t error = SLUICE_OK;
    struct dirent *entry;
    while (error == SLUICE_OK && (entry = readdir(directory)))
        error = take_entry(listing, path, entry->d_name, is_base_given, report);
    closedir(directory);
    if (error == SLUICE_OK && listing->count == 0)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "%s holds no binary logs (files named like binlog.000001)", path);
    return error;
}

sluice_error_t binlog_directory_list(const char *path, const char *base, arena_t *arena,
                                     binlog_path_t **files, uint32_t *count, error_report_t *report)
{
    listing_t listing = {.arena = arena, .base = base, .base_len = base ? strlen(base) : 0};
    struct stat status;
    if (stat(path, &status) != 0)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: %s", path,
                                strerror(errno));
    sluice_error_t error = SLUICE_OK;
    if (S_ISDIR(status.st_mode)) {
        error = list_directory(&listing, path, report);
    } else {
        const char *slash = strrchr(path, '/');
        binlog_path_t *file = arena_zalloc(arena, sizeof *file);
        file->path = arena_strdup(arena, path);
        file->name = slash ? file->path + (slash - path) + 1 : file->path;
        listing.files = file;
        listing.count = 1;
    }
    if (error != SLUICE_OK)
        return error;
    qsort(listing.files, listing.count, sizeof *listing.files, compare_files);
    *files = listing.files;
    *count = listing.count;
    return SLUICE_OK;
}

/* The GTID_LIST among the first events of `head`; an empty one when groups come before any. */
static sluice_error_t find_gtid_list(const binlog_path_t *file, bytes_t head,
                                     binlog_gtid_list_t *list, error_report_t *report)
{
    *list = (binlog_gtid_list_t){0};
    binlog_frame_t frame;
    binlog_frame_init(&frame, BINLOG_CHECKSUM_NONE);
    size_t offset = BINLOG_MAGIC_SIZE;
    if (head.len < offset || memcmp(head.data, BINLOG_MAGIC, offset) != 0)
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT, "%s is no binary log",
                                file->path);
    while (offset + BINLOG_HEADER_SIZE <= head.len) {
        binlog_header_t header;
        bytes_t event, body;
        if (binlog_header_parse(bytes_of(head.data + offset, head.len - offset), &header, &body) !=
                SLUICE_OK ||
            header.length < BINLOG_HEADER_SIZE || header.length > head.len - offset)
            return SLUICE_OK; /* cut, or damaged: reading the file will tell */
        if (header.type == BINLOG_START_ENCRYPTION)
            return error_report_set(report, SLUICE_ERROR_SOURCE_SETTINGS,
                                    "%s is encrypted; read it through its server, or record logs "
                                    "with encrypt_binlog=0",
                                    file->path);
        if (header.type == BINLOG_GTID || header.type == BINLOG_QUERY)
            return SLUICE_OK;
        if (binlog_frame_check(&frame, bytes_of(head.data + offset, header.length), &event,
                               report) != SLUICE_OK)
            return SLUICE_OK;
        body = bytes_of(event.data + BINLOG_HEADER_SIZE, event.len - BINLOG_HEADER_SIZE);
        if (header.type == BINLOG_GTID_LIST)
            return binlog_gtid_list_parse(body, list) == SLUICE_OK
                       ? SLUICE_OK
                       : error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                          "%s: its GTID list is damaged", file->path);
        offset += header.length;
    }
    return SLUICE_OK;
}

static bool is_at_or_before(const binlog_gtid_list_t *list, const char *gtid_list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        binlog_gtid_t entry = binlog_gtid_list_entry(list, i);
        uint64_t wanted;
        if (gtid_list_sequence(gtid_list, entry.domain, &wanted) != SLUICE_OK ||
            entry.sequence > wanted)
            return false;
    }
    return true;
}

static sluice_error_t check_file(const binlog_path_t *file, const char *gtid_list, bool *has_all,
                                 error_report_t *report)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_report_set(report, SLUICE_ERROR_IO, "%s: %s", file->path, strerror(errno));
    uint8_t *head = memory_alloc(FILE_HEAD_SIZE);
    ssize_t len = pread(fd, head, FILE_HEAD_SIZE, 0);
    close(fd);
    binlog_gtid_list_t list;
    sluice_error_t error =
        len < 0 ? error_report_set(report, SLUICE_ERROR_IO, "%s: %s", file->path, strerror(errno))
                : find_gtid_list(file, bytes_of(head, (size_t)len), &list, report);
    if (error == SLUICE_OK)
        *has_all = is_at_or_before(&list, gtid_list);
    free(head);
    return error;
}

sluice_error_t binlog_directory_find(const binlog_path_t *files, uint32_t count,
                                     const char *gtid_list, uint32_t *index, error_report_t *report)
{
    *index = 0;
    if (gtid_list[0] == '\0')
        return SLUICE_OK;
    for (uint32_t i = count; i > 0; i--) {
        bool has_all = false;
        sluice_error_t error = check_file(&files[i - 1], gtid_list, &has_all, report);
        if (error != SLUICE_OK)
            return error;
        if (has_all) {
            *index = i - 1;
            return SLUICE_OK;
        }
    }
    return error_report_set(report, SLUICE_ERROR_SOURCE_PURGED,
                            "position %s lies before the first binary log that is left (%s)",
                            gtid_list, files[0].path);
}
