#include "dispatcher/core/ddl/definition_render.h"

#include "dispatcher/core/ddl/text_builder.h"

/* ---- columns ---- */

static void add_members(text_builder_t *text, const column_definition_t *column)
{
    for (uint32_t i = 0; i < column->member_count; i++) {
        text_add_char(text, i == 0 ? '(' : ',');
        text_add_literal(text, bytes_of_text(column->members[i]));
    }
    text_add_char(text, ')');
}

static void add_size(text_builder_t *text, const column_definition_t *column)
{
    bool has_length = column->type <= COLUMN_BIGINT || column->type == COLUMN_BIT ||
                      column->type == COLUMN_YEAR || column->type == COLUMN_CHAR ||
                      column->type == COLUMN_VARCHAR || column->type == COLUMN_BINARY ||
                      column->type == COLUMN_VARBINARY;
    if (column->type == COLUMN_ENUM || column->type == COLUMN_SET)
        add_members(text, column);
    else if (has_length && (column->length > 0 || column->type >= COLUMN_CHAR))
        text_add_format(text, "(%u)", column->length);
    else if (column->precision > 0)
        text_add_format(text, "(%u,%u)", column->precision, column->scale);
    else if (column->fsp > 0)
        text_add_format(text, "(%u)", column->fsp);
}

static void add_type(text_builder_t *text, const column_definition_t *column)
{
    text_add(text, column_type_name(column));
    add_size(text, column);
    if (column->flags & COLUMN_UNSIGNED)
        text_add(text, " unsigned");
    if (column->flags & COLUMN_ZEROFILL)
        text_add(text, " zerofill");
    if (column->charset)
        text_add_format(text, " CHARACTER SET %s", column->charset);
    if (column->collation)
        text_add_format(text, " COLLATE %s", column->collation);
    if (column->flags & COLUMN_COMPRESSED)
        text_add(text, " COMPRESSED");
}

static void add_generated(text_builder_t *text, const column_definition_t *column)
{
    if (column->flags & (COLUMN_ROW_START | COLUMN_ROW_END))
        text_add_format(text, " GENERATED ALWAYS AS ROW %s",
                        column->flags & COLUMN_ROW_START ? "START" : "END");
    if (!column->generated)
        return;
    text_add(text, " GENERATED ALWAYS AS (");
    text_add(text, column->generated_expression);
    text_add(text, column->generated == GENERATED_STORED ? ") STORED" : ") VIRTUAL");
}

static void add_default(text_builder_t *text, const column_definition_t *column)
{
    switch (column->default_kind) {
    case DEFAULT_NONE:
        break;
    case DEFAULT_NULL:
        text_add(text, " DEFAULT NULL");
        break;
    case DEFAULT_EXPRESSION:
        text_add(text, " DEFAULT ");
        text_add(text, column->default_value);
        break;
    case DEFAULT_LITERAL:
        text_add(text, " DEFAULT ");
        /* The string '5' would be the byte 0x35 in a BIT. */
        if (column->type == COLUMN_BIT)
            text_add(text, column->default_value);
        else
            text_add_literal(text, bytes_of_text(column->default_value));
        break;
    }
    if (column->flags & COLUMN_ON_UPDATE_NOW) {
        text_add(text, " ON UPDATE current_timestamp");
        text_add_format(text, column->fsp ? "(%u)" : "()", column->fsp);
    }
}

static void add_column(text_builder_t *text, const column_definition_t *column)
{
    bool is_period = column->flags & (COLUMN_ROW_START | COLUMN_ROW_END);
    text_add_identifier(text, column->name);
    text_add_char(text, ' ');
    add_type(text, column);
    add_generated(text, column);
    if (column->flags & COLUMN_NOT_NULL && !is_period)
        text_add(text, " NOT NULL");
    else if (column->type == COLUMN_TIMESTAMP && !is_period && !column->generated)
        text_add(text, " NULL");
    if (column->flags & COLUMN_INVISIBLE)
        text_add(text, " INVISIBLE");
    if (column->flags & COLUMN_WITHOUT_VERSIONING)
        text_add(text, " WITHOUT SYSTEM VERSIONING");
    add_default(text, column);
    if (column->flags & COLUMN_AUTO_INCREMENT)
        text_add(text, " AUTO_INCREMENT");
    if (column->comment) {
        text_add(text, " COMMENT ");
        text_add_literal(text, bytes_of_text(column->comment));
    }
    if (column->check) {
        text_add(text, " CHECK (");
        text_add(text, column->check);
        text_add(text, ")");
    }
}

/* ---- keys and constraints ---- */

static void add_key(text_builder_t *text, const table_definition_t *definition,
                    const key_definition_t *key)
{
    static const char *const words[] = {[KEY_PRIMARY] = "PRIMARY KEY",
                                        [KEY_UNIQUE] = "UNIQUE KEY ",
                                        [KEY_INDEX] = "KEY ",
                                        [KEY_FULLTEXT] = "FULLTEXT KEY ",
                                        [KEY_SPATIAL] = "SPATIAL KEY "};
    text_add(text, words[key->kind]);
    if (key->kind != KEY_PRIMARY)
        text_add_identifier(text, key->name);
    for (uint32_t i = 0; i < key->part_count; i++) {
        text_add(text, i == 0 ? " (" : ",");
        text_add_identifier(text, definition->columns[key->parts[i].column].name);
        if (key->parts[i].prefix)
            text_add_format(text, "(%u)", key->parts[i].prefix);
        if (key->parts[i].is_descending)
            text_add(text, " DESC");
    }
    text_add_char(text, ')');
    if (key->options) {
        text_add_char(text, ' ');
        text_add(text, key->options);
    }
}

static void add_reference_action(text_builder_t *text, const char *on, reference_action_t action)
{
    static const char *const words[] = {[REFERENCE_RESTRICT] = NULL,
                                        [REFERENCE_CASCADE] = "CASCADE",
                                        [REFERENCE_SET_NULL] = "SET NULL",
                                        [REFERENCE_SET_DEFAULT] = "SET DEFAULT"};
    if (words[action])
        text_add_format(text, " ON %s %s", on, words[action]);
}

static void add_foreign_key(text_builder_t *text, const table_definition_t *definition,
                            const foreign_key_t *key)
{
    text_add(text, "CONSTRAINT ");
    text_add_identifier(text, key->name);
    text_add(text, " FOREIGN KEY");
    for (uint32_t i = 0; i < key->column_count; i++) {
        text_add(text, i == 0 ? " (" : ",");
        text_add_identifier(text, definition->columns[key->columns[i]].name);
    }
    text_add(text, ") REFERENCES ");
    text_add_qualified(text, key->referenced_schema, key->referenced_table);
    for (uint32_t i = 0; i < key->column_count; i++) {
        text_add(text, i == 0 ? " (" : ",");
        text_add_identifier(text, key->referenced_columns[i]);
    }
    text_add_char(text, ')');
    add_reference_action(text, "DELETE", key->on_delete);
    add_reference_action(text, "UPDATE", key->on_update);
}

static void add_system_period(text_builder_t *text, const table_definition_t *definition)
{
    const char *start = NULL, *end = NULL;
    for (uint32_t i = 0; i < definition->column_count; i++) {
        const column_definition_t *column = &definition->columns[i];
        if (column->flags & COLUMN_HIDDEN)
            continue;
        if (column->flags & COLUMN_ROW_START)
            start = column->name;
        if (column->flags & COLUMN_ROW_END)
            end = column->name;
    }
    if (!start || !end)
        return;
    text_add(text, ",\n  PERIOD FOR SYSTEM_TIME (");
    text_add_identifier(text, start);
    text_add(text, ", ");
    text_add_identifier(text, end);
    text_add_char(text, ')');
}

static void add_elements(text_builder_t *text, const table_definition_t *definition)
{
    for (uint32_t i = 0; i < definition->column_count; i++) {
        if (definition->columns[i].flags & COLUMN_HIDDEN)
            continue;
        text_add(text, i == 0 ? "\n  " : ",\n  ");
        add_column(text, &definition->columns[i]);
    }
    for (uint32_t i = 0; i < definition->key_count; i++) {
        text_add(text, ",\n  ");
        add_key(text, definition, &definition->keys[i]);
    }
    add_system_period(text, definition);
    if (definition->period_text) {
        text_add(text, ",\n  ");
        text_add(text, definition->period_text);
    }
    for (uint32_t i = 0; i < definition->foreign_key_count; i++) {
        text_add(text, ",\n  ");
        add_foreign_key(text, definition, &definition->foreign_keys[i]);
    }
    for (uint32_t i = 0; i < definition->check_count; i++) {
        if (!definition->check_expressions || !definition->check_expressions[i])
            continue;
        text_add(text, ",\n  CONSTRAINT ");
        text_add_identifier(text, definition->checks[i]);
        text_add(text, " CHECK (");
        text_add(text, definition->check_expressions[i]);
        text_add_char(text, ')');
    }
}

static void add_options(text_builder_t *text, const table_definition_t *definition)
{
    if (definition->engine) {
        text_add(text, " ENGINE=");
        text_add(text, definition->engine);
    }
    if (definition->charset)
        text_add_format(text, " DEFAULT CHARSET=%s", definition->charset);
    if (definition->collation)
        text_add_format(text, " COLLATE=%s", definition->collation);
    if (definition->options) {
        text_add_char(text, ' ');
        text_add(text, definition->options);
    }
    if (definition->comment) {
        text_add(text, " COMMENT=");
        text_add_literal(text, bytes_of_text(definition->comment));
    }
    if (definition->is_system_versioned)
        text_add(text, " WITH SYSTEM VERSIONING");
    if (definition->partition_text) {
        text_add(text, "\n ");
        text_add(text, definition->partition_text);
    }
}

const char *definition_render_create(const table_definition_t *definition, const char *schema,
                                     const char *name, unsigned flags, arena_t *arena)
{
    text_builder_t text;
    text_builder_init(&text, arena);
    text_add(&text, flags & RENDER_OR_REPLACE ? "CREATE OR REPLACE TABLE " : "CREATE TABLE ");
    if (flags & RENDER_IF_NOT_EXISTS)
        text_add(&text, "IF NOT EXISTS ");
    text_add_qualified(&text, schema ? schema : definition->schema, name ? name : definition->name);
    text_add(&text, " (");
    add_elements(&text, definition);
    text_add(&text, "\n)");
    add_options(&text, definition);
    return text_finish(&text);
}
