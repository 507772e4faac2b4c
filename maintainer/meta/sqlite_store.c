/* The SQLite meta store: its file, lock and format; slots. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "maintainer/meta/sqlite_internal.h"

/* "SLCE": tells our files from others. */
#define APPLICATION_ID 0x534C4345
#define FORMAT_VERSION 1
#define TEXT_OF(x) #x
#define NUMBER_TEXT(x) TEXT_OF(x)

static const char format[] =
    "CREATE TABLE slots (node TEXT PRIMARY KEY, slot INTEGER NOT NULL UNIQUE) WITHOUT ROWID;"
    "CREATE TABLE changefeeds (uuid BLOB PRIMARY KEY, generation INTEGER NOT NULL,"
    " name TEXT NOT NULL UNIQUE, maintainer_epoch INTEGER NOT NULL, config TEXT NOT NULL,"
    " state TEXT NOT NULL, error TEXT NOT NULL, error_text TEXT NOT NULL,"
    " checkpoint INTEGER NOT NULL, anchor_ts INTEGER NOT NULL, anchor_time INTEGER NOT NULL,"
    " anchor_gtids TEXT NOT NULL, schema_to INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE snapshots (uuid BLOB NOT NULL, generation INTEGER NOT NULL, at INTEGER NOT NULL,"
    " piece INTEGER NOT NULL, is_last INTEGER NOT NULL, content BLOB NOT NULL,"
    " PRIMARY KEY (uuid, generation, at, piece));"
    "CREATE TABLE ddls (uuid BLOB NOT NULL, generation INTEGER NOT NULL,"
    " commit_ts INTEGER NOT NULL, commit_time INTEGER NOT NULL, content BLOB NOT NULL,"
    " PRIMARY KEY (uuid, generation, commit_ts));"
    "PRAGMA application_id = " NUMBER_TEXT(APPLICATION_ID) ";"
                                                           "PRAGMA user_version = " NUMBER_TEXT(
                                                               FORMAT_VERSION) ";";

static void sqlite_close_store(meta_store_t *base)
{
    sqlite_store_t *store = sqlite_store(base);
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}

static sluice_error_t sqlite_begin(meta_store_t *store, error_report_t *report)
{
    return sqlite_run(sqlite_store(store)->db, "BEGIN", report);
}

/* A transaction that cannot be committed is taken back, so that the next one can begin. Some errors
 * have taken it back already, then there is nothing to roll back. */
static sluice_error_t sqlite_commit(meta_store_t *store, error_report_t *report)
{
    sqlite3 *db = sqlite_store(store)->db;
    if (sqlite3_get_autocommit(db))
        return error_report_set(report, SLUICE_ERROR_IO, "meta store: the transaction was lost");
    sluice_error_t error = sqlite_run(db, "COMMIT", report);
    if (error != SLUICE_OK && !sqlite3_get_autocommit(db) &&
        sqlite_run(db, "ROLLBACK", NULL) != SLUICE_OK)
        error = SLUICE_ERROR_META_STORE;
    return error;
}

static sluice_error_t sqlite_load_slots(meta_store_t *store, arena_t *arena, meta_slot_t **slots,
                                        uint32_t *count, error_report_t *report)
{
    statement_t counting = statement_begin(store, "SELECT count(*) FROM slots", report);
    size_t rows = statement_next(&counting) ? statement_number(&counting) : 0;
    sluice_error_t error = statement_finish(&counting);
    *slots = arena_calloc(arena, rows, sizeof **slots);
    *count = 0;
    if (error != SLUICE_OK)
        return error;
    statement_t reading = statement_begin(store, "SELECT node, slot FROM slots", report);
    while (*count < rows && statement_next(&reading)) {
        meta_slot_t *slot = &(*slots)[*count];
        bytes_t node = statement_bytes(&reading, arena);
        slot->slot = (uint32_t)statement_number(&reading);
        if (node_id_parse(node, &slot->node))
            ++*count;
    }
    return statement_finish(&reading);
}

static sluice_error_t sqlite_put_slot(meta_store_t *store, const node_id_t *node, uint32_t slot,
                                      error_report_t *report)
{
    statement_t statement =
        statement_begin(store, "INSERT OR REPLACE INTO slots (node, slot) VALUES (?, ?)", report);
    statement_bind_text(&statement, bytes_of_text(node->text));
    statement_bind_number(&statement, slot);
    return statement_execute(&statement, NULL);
}

static sluice_error_t sqlite_confirm(meta_store_t *base, error_report_t *report)
{
    sqlite_store_t *store = sqlite_store(base);
    struct stat status;
    if (stat(store->path, &status) != 0 || status.st_ino != store->inode ||
        status.st_dev != store->device)
        return error_report_set(report, SLUICE_ERROR_NOT_OWNER,
                                "meta store: %s is not the file that was opened", store->path);
    statement_t statement = statement_begin(base, "SELECT count(*) FROM slots", report);
    (void)statement_next(&statement);
    return statement_finish(&statement);
}

static const meta_store_class_t sqlite_class = {
    .close = sqlite_close_store,
    .load_slots = sqlite_load_slots,
    .take_over = sqlite_take_over,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .put_slot = sqlite_put_slot,
    .put_changefeed = sqlite_put_changefeed,
    .put_state = sqlite_put_state,
    .put_checkpoint = sqlite_put_checkpoint,
    .put_snapshot = sqlite_put_snapshot,
    .put_ddls = sqlite_put_ddls,
    .forget_schema = sqlite_forget_schema,
    .forget_changefeed = sqlite_forget_changefeed,
    .load_schema = sqlite_load_schema,
    .load_changefeed = sqlite_load_changefeed,
    .confirm = sqlite_confirm,
};

/* ---- opening ---- */

static sluice_error_t open_file(const char *path, sqlite3 **db, error_report_t *report)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, db, flags, NULL) == SQLITE_OK)
        return SLUICE_OK;
    sluice_error_t error = sqlite_failure(*db, report);
    sqlite3_close(*db);
    *db = NULL;
    return error;
}

/* A new store is made under another name and then renamed: whatever bears the final name was
 * complete once, so that an empty file is damage and not a beginning. */
static sluice_error_t create_file(const char *path, error_report_t *report)
{
    size_t len = strlen(path) + sizeof ".new";
    char *temporary = memory_alloc(len);
    snprintf(temporary, len, "%s.new", path);
    unlink(temporary);
    mode_t mask = umask(0077);
    sqlite3 *db = NULL;
    sluice_error_t error = open_file(temporary, &db, report);
    if (error == SLUICE_OK)
        error = sqlite_run(db, format, report);
    umask(mask);
    sqlite3_close(db);
    /* link, not rename: never over a store that another process has made meanwhile. */
    if (error == SLUICE_OK && link(temporary, path) != 0 && errno != EEXIST)
        error = error_report_set(report, SLUICE_ERROR_IO, "meta store: cannot create %s: %s", path,
                                 strerror(errno));
    unlink(temporary);
    free(temporary);
    return error;
}

/* A store that is not there is made, unless it was there: its log is left when it is removed. */
static sluice_error_t create_unless_lost(const char *path, error_report_t *report)
{
    size_t len = strlen(path) + sizeof "-wal";
    char *log = memory_alloc(len);
    snprintf(log, len, "%s-wal", path);
    bool is_lost = access(log, F_OK) == 0;
    free(log);
    if (is_lost)
        return error_report_set(report, SLUICE_ERROR_META_STORE,
                                "meta store: %s is gone, but its log %s-wal is there: bring back a "
                                "copy, or remove the log to begin without any changefeed",
                                path, path);
    return create_file(path, report);
}

static uint64_t pragma(meta_store_t *store, const char *sql, sluice_error_t *error,
                       error_report_t *report)
{
    if (*error != SLUICE_OK)
        return 0;
    statement_t statement = statement_begin(store, sql, report);
    uint64_t value = statement_next(&statement) ? statement_number(&statement) : 0;
    *error = statement_finish(&statement);
    return value;
}

static sluice_error_t check_integrity(meta_store_t *store, error_report_t *report)
{
    arena_t arena = {0};
    statement_t statement = statement_begin(store, "PRAGMA quick_check(1)", report);
    bytes_t text =
        statement_next(&statement) ? statement_bytes(&statement, &arena) : bytes_of_text("");
    sluice_error_t error = statement_finish(&statement);
    if (error == SLUICE_OK && !bytes_equal(text, bytes_of_text("ok")))
        error = error_report_set(report, SLUICE_ERROR_META_STORE, "meta store: %s is damaged: %.*s",
                                 sqlite_store(store)->path, (int)text.len, (const char *)text.data);
    arena_clear(&arena);
    return error;
}

static sluice_error_t check_format(meta_store_t *base, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    const char *path = sqlite_store(base)->path;
    uint64_t id = pragma(base, "PRAGMA application_id", &error, report);
    uint64_t version = pragma(base, "PRAGMA user_version", &error, report);
    if (error != SLUICE_OK)
        return error;
    if (id != APPLICATION_ID)
        return error_report_set(report, SLUICE_ERROR_META_STORE,
                                "meta store: %s is damaged or not a meta store of Sluice; it is "
                                "left as it is",
                                path);
    if (version != FORMAT_VERSION)
        return error_report_set(report, SLUICE_ERROR_META_VERSION,
                                "meta store: %s has format %llu, this program knows %d: use the "
                                "program that wrote it or a newer one",
                                path, (unsigned long long)version, FORMAT_VERSION);
    return check_integrity(base, report);
}

/* EXCLUSIVE keeps the file locked from the first write on until it is closed; FULL makes a commit
 * wait for the disk. */
static sluice_error_t lock(meta_store_t *base, error_report_t *report)
{
    sqlite3 *db = sqlite_store(base)->db;
    sluice_error_t error =
        sqlite_run(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL;", report);
    if (error == SLUICE_OK)
        error = sqlite_run(db, "BEGIN EXCLUSIVE; COMMIT;", report);
    if (error == SLUICE_ERROR_LOCKED)
        error_report_set(report, error, "meta store: %s is in use by another maintainer",
                         sqlite_store(base)->path);
    return error;
}

static sluice_error_t remember_file(sqlite_store_t *store, error_report_t *report)
{
    struct stat status;
    if (stat(store->path, &status) != 0)
        return error_report_set(report, SLUICE_ERROR_IO, "meta store: %s: %s", store->path,
                                strerror(errno));
    if (status.st_size == 0)
        return error_report_set(report, SLUICE_ERROR_META_STORE,
                                "meta store: %s is empty: it was cut off; bring back a copy",
                                store->path);
    store->device = status.st_dev;
    store->inode = status.st_ino;
    return SLUICE_OK;
}

/* Said before SQLite meets it: its own words ("disk I/O error") tell nobody what to mend. */
static sluice_error_t check_writable(const char *directory, const char *path,
                                     error_report_t *report)
{
    const char *const names[] = {directory, path};
    for (size_t i = 0; i < 2; i++)
        if (access(names[i], W_OK) != 0)
            return error_report_set(report, SLUICE_ERROR_IO, "meta store: %s cannot be written: %s",
                                    names[i], strerror(errno));
    return SLUICE_OK;
}

sluice_error_t meta_sqlite_open(const char *directory, meta_store_t **out, error_report_t *report)
{
    size_t len = strlen(directory) + sizeof "/meta.db";
    sqlite_store_t *store = memory_zalloc(sizeof *store);
    store->base.class = &sqlite_class;
    store->path = memory_alloc(len);
    snprintf(store->path, len, "%s/meta.db", directory);
    sluice_error_t error = SLUICE_OK;
    if (access(store->path, F_OK) != 0)
        error = create_unless_lost(store->path, report);
    if (error == SLUICE_OK)
        error = check_writable(directory, store->path, report);
    if (error == SLUICE_OK)
        error = remember_file(store, report);
    if (error == SLUICE_OK)
        error = open_file(store->path, &store->db, report);
    if (error == SLUICE_OK)
        error = lock(&store->base, report);
    if (error == SLUICE_OK)
        error = check_format(&store->base, report);
    if (error == SLUICE_OK)
        error = sqlite_run(store->db, "PRAGMA journal_mode = WAL", report);
    if (error != SLUICE_OK)
        sqlite_close_store(&store->base);
    *out = error == SLUICE_OK ? &store->base : NULL;
    return error;
}

void meta_store_close(meta_store_t **store)
{
    if (*store)
        (*store)->class->close(*store);
    *store = NULL;
}
