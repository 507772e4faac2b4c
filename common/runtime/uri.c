#include "common/runtime/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_MASK "xxxxx"

typedef struct {
    arena_t *arena;
    error_report_t *report;
} parse_t;

static sluice_error_t refuse(parse_t *parse, const char *what)
{
    return error_report_set(parse->report, SLUICE_ERROR_CONFIGURATION, "URI: %s", what);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Percent-decodes into the arena; refuses bad escapes and NUL, which no consumer could carry. */
static sluice_error_t decode(parse_t *parse, bytes_t text, const char **decoded)
{
    char *out = arena_alloc(parse->arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_value(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return refuse(parse, "'%' is not followed by two hexadecimal digits");
            c = (uint8_t)(high * 16 + low);
            i += 2;
        }
        if (c == 0)
            return refuse(parse, "a NUL byte is in it");
        out[len++] = (char)c;
    }
    out[len] = '\0';
    *decoded = out;
    return SLUICE_OK;
}

/* Cuts `text` at the first of `stops`: returns what is before it, `text` keeps it and the rest. */
static bytes_t cut_before(bytes_t *text, const char *stops)
{
    size_t len = 0;
    while (len < text->len && !strchr(stops, text->data[len]))
        len++;
    bytes_t head = bytes_of(text->data, len);
    *text = bytes_of(text->data + len, text->len - len);
    return head;
}

static bytes_t skip(bytes_t text, size_t len)
{
    return bytes_of(text.data + len, text.len - len);
}

static const uint8_t *find_last(bytes_t text, uint8_t c)
{
    return text.data && text.len ? memrchr(text.data, c, text.len) : NULL;
}

static sluice_error_t parse_scheme(parse_t *parse, bytes_t *rest, uri_t *uri)
{
    const uint8_t *mark = rest->data && rest->len ? memmem(rest->data, rest->len, "://", 3) : NULL;
    if (!mark || mark == rest->data)
        return refuse(parse, "it does not begin with scheme://");
    size_t len = (size_t)(mark - rest->data);
    char *scheme = arena_strndup(parse->arena, rest->data, len);
    for (char *c = scheme; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        bool is_letter = *c >= 'a' && *c <= 'z';
        if (!is_letter && (c == scheme || !strchr("0123456789+-.", *c)))
            return refuse(parse, "its scheme has a character that none can have");
    }
    uri->scheme = scheme;
    *rest = skip(*rest, len + 3);
    return SLUICE_OK;
}

static sluice_error_t parse_user(parse_t *parse, bytes_t userinfo, uri_t *uri)
{
    bytes_t user = cut_before(&userinfo, ":");
    sluice_error_t error = decode(parse, user, &uri->user);
    if (error == SLUICE_OK && userinfo.len)
        error = decode(parse, skip(userinfo, 1), &uri->password);
    return error;
}

static sluice_error_t parse_port(parse_t *parse, bytes_t text, uri_t *uri)
{
    uint32_t port = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || port > UINT16_MAX)
            return refuse(parse, "its port is not a number of 1..65535");
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return refuse(parse, "its port is not a number of 1..65535");
    uri->port = (uint16_t)port;
    return SLUICE_OK;
}

static sluice_error_t parse_host(parse_t *parse, bytes_t text, uri_t *uri)
{
    bytes_t host;
    if (text.len && memchr(text.data, ',', text.len))
        return refuse(parse, "it names several hosts where one is wanted");
    if (text.len && text.data[0] == '[') {
        text = skip(text, 1);
        host = cut_before(&text, "]");
        if (text.len == 0)
            return refuse(parse, "'[' of an IPv6 address is not closed");
        text = skip(text, 1);
        if (text.len && text.data[0] != ':')
            return refuse(parse, "something other than a port follows ']'");
    } else {
        host = cut_before(&text, ":");
    }
    sluice_error_t error = decode(parse, host, &uri->host);
    if (error == SLUICE_OK && text.len)
        error = parse_port(parse, skip(text, 1), uri);
    return error;
}

static sluice_error_t parse_authority(parse_t *parse, bytes_t text, uri_t *uri)
{
    const uint8_t *at = find_last(text, '@');
    if (at) {
        size_t len = (size_t)(at - text.data);
        sluice_error_t error = parse_user(parse, bytes_of(text.data, len), uri);
        if (error != SLUICE_OK)
            return error;
        text = skip(text, len + 1);
    }
    return parse_host(parse, text, uri);
}

static sluice_error_t parse_parameter(parse_t *parse, bytes_t text, uri_t *uri,
                                      uri_parameter_t *parameters)
{
    if (uri->parameter_count == URI_PARAMETERS_MAX)
        return refuse(parse, "it has too many parameters");
    bytes_t name = cut_before(&text, "=");
    if (name.len == 0)
        return refuse(parse, "a parameter has no name");
    uri_parameter_t *parameter = &parameters[uri->parameter_count];
    sluice_error_t error = decode(parse, name, &parameter->name);
    if (error == SLUICE_OK)
        error = decode(parse, text.len ? skip(text, 1) : text, &parameter->value);
    if (error != SLUICE_OK)
        return error;
    if (uri_parameter(uri, parameter->name))
        return error_report_set(parse->report, SLUICE_ERROR_CONFIGURATION,
                                "URI: parameter '%s' is given twice", parameter->name);
    uri->parameter_count++;
    return SLUICE_OK;
}

static sluice_error_t parse_query(parse_t *parse, bytes_t text, uri_t *uri)
{
    uri_parameter_t *parameters =
        arena_calloc(parse->arena, URI_PARAMETERS_MAX, sizeof *parameters);
    uri->parameters = parameters;
    while (text.len) {
        bytes_t parameter = cut_before(&text, "&");
        sluice_error_t error = parse_parameter(parse, parameter, uri, parameters);
        if (error != SLUICE_OK)
            return error;
        if (text.len)
            text = skip(text, 1);
    }
    return SLUICE_OK;
}

sluice_error_t uri_parse(bytes_t text, arena_t *arena, uri_t *uri, error_report_t *report)
{
    parse_t parse = {.arena = arena, .report = report};
    *uri = (uri_t){.scheme = "", .host = "", .path = ""};
    if (text.len > URI_LEN_MAX)
        return refuse(&parse, "it is too long");
    if (text.len && memchr(text.data, 0, text.len))
        return refuse(&parse, "a NUL byte is in it");
    sluice_error_t error = parse_scheme(&parse, &text, uri);
    if (error != SLUICE_OK)
        return error;
    bytes_t authority = cut_before(&text, "/?#");
    error = parse_authority(&parse, authority, uri);
    if (error != SLUICE_OK)
        return error;
    bytes_t path = cut_before(&text, "?#");
    error = decode(&parse, path, &uri->path);
    if (error != SLUICE_OK)
        return error;
    if (text.len && text.data[0] == '?') {
        text = skip(text, 1);
        error = parse_query(&parse, cut_before(&text, "#"), uri);
    }
    if (error == SLUICE_OK && text.len)
        return refuse(&parse, "it has a '#'; write %23 if that is part of a value");
    return error;
}

const char *uri_parameter(const uri_t *uri, const char *name)
{
    for (uint32_t i = 0; i < uri->parameter_count; i++)
        if (strcmp(uri->parameters[i].name, name) == 0)
            return uri->parameters[i].value;
    return NULL;
}

sluice_error_t uri_parameter_number(const uri_t *uri, const char *name, uint64_t min, uint64_t max,
                                    uint64_t otherwise, uint64_t *value, error_report_t *report)
{
    *value = otherwise;
    const char *text = uri_parameter(uri, name);
    if (!text)
        return SLUICE_OK;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number < min || number > max)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "URI: parameter '%s' is not a number of %llu..%llu", name,
                                (unsigned long long)min, (unsigned long long)max);
    *value = number;
    return SLUICE_OK;
}

sluice_error_t uri_check_parameters(const uri_t *uri, const char *const *known,
                                    error_report_t *report)
{
    for (uint32_t i = 0; i < uri->parameter_count; i++) {
        const char *const *name = known;
        while (*name && strcmp(*name, uri->parameters[i].name) != 0)
            name++;
        if (!*name)
            return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                    "URI: unknown parameter '%s' for %s://",
                                    uri->parameters[i].name, uri->scheme);
    }
    return SLUICE_OK;
}

typedef struct {
    char *out;
    size_t size, len;
} output_t;

static void output_put(output_t *output, const void *text, size_t len)
{
    size_t room = output->size - 1 - output->len;
    if (len > room)
        len = room;
    if (len)
        memcpy(output->out + output->len, text, len);
    output->len += len;
}

/* Length of the text up to white space, a quote, or the end: how far one URI can reach. */
static size_t word_len(bytes_t text)
{
    size_t len = 0;
    while (len < text.len && text.data[len] > ' ' && !strchr("\"'<>`", text.data[len]))
        len++;
    return len;
}

/* The authority's password. A password with an unescaped '/' or '?' would end the authority early,
 * hence the last '@' of the whole word counts: better too much hidden than too little. */
static size_t redact_authority(output_t *output, bytes_t word)
{
    const uint8_t *at = find_last(word, '@');
    const uint8_t *colon = at ? memchr(word.data, ':', (size_t)(at - word.data)) : NULL;
    if (!colon)
        return 0;
    output_put(output, word.data, (size_t)(colon - word.data) + 1);
    output_put(output, PASSWORD_MASK, strlen(PASSWORD_MASK));
    return (size_t)(at - word.data);
}

static void redact_word(output_t *output, bytes_t word)
{
    static const char parameter[] = "password=";
    word = skip(word, redact_authority(output, word));
    const uint8_t *found;
    while (word.len && (found = memmem(word.data, word.len, parameter, sizeof parameter - 1))) {
        size_t before = (size_t)(found - word.data) + sizeof parameter - 1;
        output_put(output, word.data, before);
        output_put(output, PASSWORD_MASK, strlen(PASSWORD_MASK));
        word = skip(word, before);
        cut_before(&word, "&#");
    }
    output_put(output, word.data, word.len);
}

void uri_redact(bytes_t text, char *out, size_t size)
{
    output_t output = {.out = out, .size = size};
    const uint8_t *mark;
    while (text.len && (mark = memmem(text.data, text.len, "://", 3))) {
        size_t before = (size_t)(mark - text.data) + 3;
        output_put(&output, text.data, before);
        text = skip(text, before);
        size_t len = word_len(text);
        redact_word(&output, bytes_of(text.data, len));
        text = skip(text, len);
    }
    output_put(&output, text.data, text.len);
    out[output.len] = '\0';
}
