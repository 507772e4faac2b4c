#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/upstream_internal.h"

#define TOLD_NS (10 * NS_PER_MS) /* between two groups */
#define WORDS_MAX 8
#define PIECE_SIZE 256

static void give_up(const char *piece, const char *why)
{
    fprintf(stderr, "cannot tell the log \"%s\": %s\n", piece, why);
    abort();
}

static sim_table_t *table_of(const sim_log_t *log, const char *piece, const char *word)
{
    char text[PIECE_SIZE];
    sim_statement_t statement;
    snprintf(text, sizeof text, "truncate %s", word);
    sim_table_t *table = sim_statement_parse(text, &statement)
                             ? sim_database_find(&log->source, &statement.names[0])
                             : NULL;
    if (!table)
        give_up(piece, "no such table");
    return table;
}

static void tell_rows(sim_log_t *log, const char *piece, char *const *words, uint32_t count,
                      uint64_t after_ns)
{
    uint32_t changes = 1;
    char *end;
    unsigned long number = strtoul(words[count - 1], &end, 10);
    if (*end == '\0') {
        changes = (uint32_t)number;
        count--;
    }
    log_begin(log, after_ns);
    log_begin_transaction(log);
    for (uint32_t i = 1; i < count; i++)
        log_rows(log, table_of(log, piece, words[i]), changes);
    log_end_transaction(log);
}

static uint32_t split(char *text, char *words[WORDS_MAX])
{
    uint32_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \n\t", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " \n\t", &rest))
        words[count++] = word;
    return count;
}

/* `after_ns` is what came before it; it becomes what lies before the next. */
static void tell_piece(sim_log_t *log, const char *piece, uint64_t *after_ns)
{
    char text[PIECE_SIZE];
    char *words[WORDS_MAX];
    snprintf(text, sizeof text, "%s", piece);
    uint32_t count = split(text, words);
    if (count == 0)
        return;
    if (strcmp(words[0], "idle") == 0 && count == 2) {
        *after_ns += strtoul(words[1], NULL, 10) * NS_PER_S;
        return;
    }
    sim_statement_t statement;
    error_report_t report = {0};
    if (strcmp(words[0], "rows") == 0 && count >= 2)
        tell_rows(log, piece, words, count, *after_ns);
    else if (!sim_statement_parse(piece, &statement))
        give_up(piece, "not understood");
    else if (!log_statement(log, *after_ns, &statement, &report))
        give_up(piece, report.text);
    *after_ns = TOLD_NS;
}

commit_ts_t sim_log_tell(sim_log_t *log, const char *text)
{
    uint64_t after_ns = TOLD_NS;
    while (*text) {
        char piece[PIECE_SIZE];
        size_t len = strcspn(text, ";");
        snprintf(piece, sizeof piece, "%.*s", (int)len, text);
        tell_piece(log, piece, &after_ns);
        text += len;
        text += *text == ';';
    }
    return sim_log_last(log);
}
