#include "maintainer/ctl/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX 1024
#define ANSWER_BYTES_MAX (256 * 1024 * 1024)
#define CONNECT_SECONDS 5L
/* A create waits for the pre-flight check, whose own limit is two minutes unless configured. */
#define REQUEST_SECONDS 300L

typedef struct {
    char *data;
    size_t len;
} buffer_t;

static size_t collect(char *data, size_t size, size_t count, void *context)
{
    buffer_t *buffer = context;
    size_t len = size * count;
    if (len > ANSWER_BYTES_MAX - buffer->len)
        return 0;
    char *grown = realloc(buffer->data, buffer->len + len + 1);
    if (!grown)
        return 0;
    memcpy(grown + buffer->len, data, len);
    buffer->data = grown;
    buffer->len += len;
    return len;
}

static CURLcode perform(CURL *curl, const char *url, const char *method, const char *body,
                        buffer_t *buffer)
{
    struct curl_slist *headers = body ? curl_slist_append(NULL, "Content-Type: application/json")
                                      : curl_slist_append(NULL, "Content-Type:");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, buffer);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, REQUEST_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    return code;
}

ctl_exit_t client_request(const ctl_options_t *options, const char *method, const char *path,
                          const json_t *body, client_answer_t *answer)
{
    char url[URL_MAX];
    *answer = (client_answer_t){0};
    size_t server_len = strlen(options->server);
    while (server_len > 0 && options->server[server_len - 1] == '/')
        server_len--;
    if (snprintf(url, sizeof url, "%.*s%s", (int)server_len, options->server, path) >= URL_MAX) {
        fprintf(stderr, "sluicectl: the server's address is too long\n");
        return CTL_USAGE;
    }
    CURL *curl = curl_easy_init();
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    buffer_t buffer = {0};
    CURLcode code = curl ? perform(curl, url, method, text, &buffer) : CURLE_FAILED_INIT;
    long status = 0;
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    else
        fprintf(stderr, "sluicectl: %s: %s\n", options->server, curl_easy_strerror(code));
    answer->status = (unsigned)status;
    if (buffer.len)
        answer->json = json_loadb(buffer.data, buffer.len, 0, NULL);
    free(buffer.data);
    free(text);
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? CTL_OK : CTL_NO_CONNECTION;
}

ctl_exit_t client_call(const ctl_options_t *options, const char *method, const char *path,
                       const json_t *body, json_t **json)
{
    client_answer_t answer;
    ctl_exit_t code = client_request(options, method, path, body, &answer);
    if (json)
        *json = NULL;
    if (code != CTL_OK)
        return code;
    if (answer.status < 200 || answer.status >= 300 || !answer.json) {
        const char *error = json_string_value(json_object_get(answer.json, "error_code"));
        const char *text = json_string_value(json_object_get(answer.json, "error_msg"));
        fprintf(stderr, "sluicectl: the server said %u%s%s: %s\n", answer.status, error ? " " : "",
                error ? error : "", text ? text : "nothing that could be understood");
        json_decref(answer.json);
        return CTL_SERVER_ERROR;
    }
    if (json)
        *json = answer.json;
    else
        json_decref(answer.json);
    return CTL_OK;
}
