/* What sluicectl prints: JSON as it came, or a table of chosen columns. Threads: the main one. */
#ifndef SLUICE_MAINTAINER_CTL_OUTPUT_H
#define SLUICE_MAINTAINER_CTL_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

/* `path` leads to the value: "error.message" is the field of a field. */
typedef struct {
    const char *title, *path;
} output_column_t;

void output_json(const json_t *json, FILE *out);

/* A line for each item of the array under the titles, columns aligned. `columns` ends with a NULL
 * title. */
void output_table(const json_t *items, const output_column_t *columns, FILE *out);

/* The columns below each other, with their titles. */
void output_record(const json_t *item, const output_column_t *columns, FILE *out);

/* The value at a path as text, "-" for nothing; control characters become '?'. The caller frees. */
char *output_text(const json_t *item, const char *path);

#endif
