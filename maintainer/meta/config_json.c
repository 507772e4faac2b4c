#include "maintainer/meta/config_json.h"

#include "common/runtime/uri.h"
#include "common/runtime/uri_servers.h"

#define START_NOW_TEXT "now"
#define FILTER_RULES_MAX 1000
#define OPTIONS_MAX 100

static json_t *text(bytes_t bytes)
{
    json_t *string = json_stringn((const char *)bytes.data, bytes.len);
    return string ? string : json_string("");
}

static json_t *uri_text(bytes_t uri, bool redacted)
{
    if (!redacted)
        return text(uri);
    char out[URI_LEN_MAX];
    uri_redact(uri, out, sizeof out);
    return text(bytes_of_text(out));
}

json_t *config_json_from(const changefeed_config_t *config, bool redacted)
{
    json_t *json = json_object(), *rules = json_array(), *options = json_object();
    for (uint32_t i = 0; i < config->filter_rule_count; i++)
        json_array_append_new(rules, text(config->filter_rules[i]));
    for (uint32_t i = 0; i < config->option_count; i++)
        json_object_setn_new(options, (const char *)config->options[i].key.data,
                             config->options[i].key.len, text(config->options[i].value));
    json_object_set_new(json, "name", text(config->name));
    json_object_set_new(json, "source", uri_text(config->source, redacted));
    json_object_set_new(json, "sink", uri_text(config->sink, redacted));
    json_object_set_new(json, "filter", rules);
    json_object_set_new(json, "options", options);
    json_object_set_new(json, "start",
                        config->start == START_NOW ? json_string(START_NOW_TEXT)
                                                   : text(config->start_gtid_list));
    json_object_set_new(json, "domain", json_integer(config->domain));
    return json;
}

typedef struct {
    arena_t *arena;
    changefeed_config_t *config;
    error_report_t *report;
} reading_t;

static sluice_error_t refuse(reading_t *reading, const char *field, const char *what)
{
    return error_report_set(reading->report, SLUICE_ERROR_CONFIGURATION, "%s: %s", field, what);
}

static bytes_t copied(reading_t *reading, const json_t *string)
{
    return arena_bytes(reading->arena,
                       bytes_of(json_string_value(string), json_string_length(string)));
}

static sluice_error_t read_text(reading_t *reading, const json_t *json, const char *field,
                                bytes_t *out)
{
    const json_t *value = json_object_get(json, field);
    if (!json_is_string(value) || json_string_length(value) == 0)
        return refuse(reading, field, "a text is wanted");
    if (json_string_length(value) > URI_LEN_MAX)
        return refuse(reading, field, "is too long");
    *out = copied(reading, value);
    return SLUICE_OK;
}

static sluice_error_t read_uri(reading_t *reading, const json_t *json, const char *field,
                               bytes_t *out)
{
    sluice_error_t error = read_text(reading, json, field, out);
    uri_t uri;
    error_report_t why;
    if (error == SLUICE_OK && uri_parse(*out, reading->arena, &uri, &why) != SLUICE_OK)
        return refuse(reading, field, why.text);
    return error;
}

/* May name several servers of one and the same log. */
static sluice_error_t read_source(reading_t *reading, const json_t *json, bytes_t *out)
{
    sluice_error_t error = read_text(reading, json, "source", out);
    const uri_server_t *servers;
    uint32_t count;
    error_report_t why;
    if (error == SLUICE_OK &&
        uri_servers_parse(*out, reading->arena, &servers, &count, &why) != SLUICE_OK)
        return refuse(reading, "source", why.text);
    return error;
}

static sluice_error_t read_filter(reading_t *reading, const json_t *filter)
{
    if (!filter)
        return SLUICE_OK;
    size_t count = json_array_size(filter);
    if (!json_is_array(filter) || count > FILTER_RULES_MAX)
        return refuse(reading, "filter", "a list of at most 1000 rules is wanted");
    bytes_t *rules = arena_calloc(reading->arena, count, sizeof *rules);
    for (size_t i = 0; i < count; i++) {
        const json_t *rule = json_array_get(filter, i);
        if (!json_is_string(rule) || json_string_length(rule) == 0)
            return refuse(reading, "filter", "every rule is a text");
        rules[i] = copied(reading, rule);
    }
    reading->config->filter_rules = rules;
    reading->config->filter_rule_count = (uint32_t)count;
    return SLUICE_OK;
}

static sluice_error_t read_options(reading_t *reading, json_t *options)
{
    if (!options)
        return SLUICE_OK;
    if (!json_is_object(options) || json_object_size(options) > OPTIONS_MAX)
        return refuse(reading, "options", "an object of at most 100 texts is wanted");
    option_t *list = arena_calloc(reading->arena, json_object_size(options), sizeof *list);
    uint32_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach(options, key, value)
    {
        if (!*key || !json_is_string(value))
            return refuse(reading, "options", "every value is a text");
        list[count++] =
            (option_t){arena_bytes(reading->arena, bytes_of_text(key)), copied(reading, value)};
    }
    reading->config->options = list;
    reading->config->option_count = count;
    return SLUICE_OK;
}

static sluice_error_t read_start(reading_t *reading, const json_t *start)
{
    reading->config->start = START_NOW;
    if (!start)
        return SLUICE_OK;
    if (!json_is_string(start) || json_string_length(start) >= ANCHOR_GTID_LIST_MAX)
        return refuse(reading, "start", "\"now\" or a GTID list is wanted");
    if (strcmp(json_string_value(start), START_NOW_TEXT) == 0)
        return SLUICE_OK;
    uint64_t sequence;
    if (json_string_length(start) == 0 ||
        gtid_list_sequence(json_string_value(start), 0, &sequence) != SLUICE_OK)
        return refuse(reading, "start", "is no GTID list such as 0-1-100");
    reading->config->start = START_POSITION;
    reading->config->start_gtid_list = copied(reading, start);
    return SLUICE_OK;
}

static sluice_error_t read_domain(reading_t *reading, const json_t *domain)
{
    if (!domain)
        return SLUICE_OK;
    json_int_t number = json_integer_value(domain);
    if (!json_is_integer(domain) || number < 0 || number > UINT32_MAX)
        return refuse(reading, "domain", "is not a number of 0 to 4294967295");
    reading->config->domain = (uint32_t)number;
    return SLUICE_OK;
}

static sluice_error_t refuse_unknown(reading_t *reading, json_t *json)
{
    static const char *const known[] = {"name",    "source", "sink",   "filter",
                                        "options", "start",  "domain", NULL};
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        const char *const *name = known;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (!*name)
            return error_report_set(reading->report, SLUICE_ERROR_CONFIGURATION,
                                    "%.64s: unknown field", key);
    }
    return SLUICE_OK;
}

sluice_error_t config_json_to(const json_t *json, arena_t *arena, changefeed_config_t *config,
                              error_report_t *report)
{
    reading_t reading = {.arena = arena, .config = config, .report = report};
    *config = (changefeed_config_t){0};
    if (!json_is_object(json))
        return refuse(&reading, "body", "a JSON object is wanted");
    sluice_error_t error = refuse_unknown(&reading, (json_t *)json);
    if (error == SLUICE_OK)
        error = read_text(&reading, json, "name", &config->name);
    if (error == SLUICE_OK && !changefeed_name_is_valid(config->name))
        error = refuse(&reading, "name", "1 to 128 of letters, digits, '.', '_', '-' are wanted");
    if (error == SLUICE_OK)
        error = read_source(&reading, json, &config->source);
    if (error == SLUICE_OK)
        error = read_uri(&reading, json, "sink", &config->sink);
    if (error == SLUICE_OK)
        error = read_filter(&reading, json_object_get(json, "filter"));
    if (error == SLUICE_OK)
        error = read_options(&reading, json_object_get(json, "options"));
    if (error == SLUICE_OK)
        error = read_start(&reading, json_object_get(json, "start"));
    if (error == SLUICE_OK)
        error = read_domain(&reading, json_object_get(json, "domain"));
    return error;
}
