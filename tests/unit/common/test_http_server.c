#include "tests/testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/runtime/http_server.h"

typedef struct {
    http_server_t *server;
    http_request_t *kept; /* for /later */
    char method[16], path[256], body[64], query[64];
    unsigned handled;
} fixture_t;

static void on_request(void *context, http_request_t *request)
{
    fixture_t *fixture = context;
    bytes_t body = http_request_body(request);
    const char *query = http_request_query(request, "q");
    fixture->handled++;
    snprintf(fixture->method, sizeof fixture->method, "%s", http_request_method(request));
    snprintf(fixture->path, sizeof fixture->path, "%s", http_request_path(request));
    snprintf(fixture->query, sizeof fixture->query, "%s", query ? query : "(none)");
    snprintf(fixture->body, sizeof fixture->body, "%.*s", (int)body.len, (const char *)body.data);
    if (strcmp(http_request_path(request), "/later") == 0)
        fixture->kept = request;
    else
        http_respond(&request, 200, "text/plain", bytes_of_text("fine"), NULL);
}

static int set_up(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof *fixture);
    *state = fixture;
    return http_server_start("127.0.0.1:0", false, on_request, fixture, &fixture->server, NULL) !=
           SLUICE_OK;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    http_server_destroy(&fixture->server);
    test_free(fixture);
    return 0;
}

static int connect_to(const fixture_t *fixture)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(fixture->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

static void send_all(fixture_t *fixture, int client, const char *data, size_t len)
{
    while (len) {
        ssize_t sent = send(client, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
        } else if (sent < 0 && errno != EAGAIN) {
            return; /* the server has closed: its answer tells why */
        }
        http_server_run(fixture->server);
    }
}

/* Runs the server until the client has an answer or the end of the connection. */
static void read_answer(fixture_t *fixture, int client, char *answer, size_t size)
{
    ssize_t len = -1;
    for (int turns = 0; turns < 1000 && len < 0; turns++) {
        struct pollfd ready[] = {{.fd = http_server_descriptor(fixture->server), .events = POLLIN},
                                 {.fd = client, .events = POLLIN}};
        poll(ready, 2, 10);
        http_server_run(fixture->server);
        len = recv(client, answer, size - 1, MSG_DONTWAIT);
        if (len < 0 && errno != EAGAIN)
            len = 0;
    }
    assert_true(len >= 0);
    answer[len] = '\0';
}

static unsigned status_of(fixture_t *fixture, const char *request)
{
    char answer[4096];
    unsigned status = 0;
    int client = connect_to(fixture);
    send_all(fixture, client, request, strlen(request));
    read_answer(fixture, client, answer, sizeof answer);
    close(client);
    if (*answer && sscanf(answer, "HTTP/1.%*c %u", &status) != 1)
        fail_msg("no answer: %s", answer);
    return status;
}

#define HEAD_OF(line) line " HTTP/1.1\r\nHost: x\r\n"

static void hands_requests_over_whole(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(status_of(fixture, HEAD_OF("GET /a/b?q=7&z") "\r\n"), 200);
    assert_string_equal(fixture->method, "GET");
    assert_string_equal(fixture->path, "/a/b");
    assert_string_equal(fixture->query, "7");
    assert_int_equal(status_of(fixture, HEAD_OF("POST /p") "Content-Type: application/json\r\n"
                                                           "Content-Length: 8\r\n\r\n{\"a\": 1}"),
                     200);
    assert_string_equal(fixture->method, "POST");
    assert_string_equal(fixture->body, "{\"a\": 1}");
    assert_string_equal(fixture->query, "(none)");
    assert_int_equal(status_of(fixture, HEAD_OF("DELETE /d") "\r\n"), 200);
    assert_int_equal(status_of(fixture, HEAD_OF("HEAD /h") "\r\n"), 200);
    assert_string_equal(fixture->method, "GET");
    assert_int_equal(status_of(fixture, HEAD_OF("BREW /h") "\r\n"), 200);
    assert_string_equal(fixture->method, "");
}

static void takes_chunked_bodies(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(status_of(fixture, HEAD_OF("PUT /p") "Content-Type: application/json\r\n"
                                                          "Transfer-Encoding: chunked\r\n\r\n"
                                                          "3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"),
                     200);
    assert_string_equal(fixture->body, "[1,2]");
}

static void answers_later_if_it_must(void **state)
{
    fixture_t *fixture = *state;
    char answer[1024];
    int slow = connect_to(fixture);
    static const char request[] = HEAD_OF("GET /later") "\r\n";
    send_all(fixture, slow, request, sizeof request - 1);
    for (int turns = 0; turns < 1000 && !fixture->kept; turns++) {
        struct pollfd ready = {.fd = http_server_descriptor(fixture->server), .events = POLLIN};
        poll(&ready, 1, 10);
        http_server_run(fixture->server);
    }
    assert_non_null(fixture->kept);
    assert_int_equal(status_of(fixture, HEAD_OF("GET /now") "\r\n"), 200);
    http_respond(&fixture->kept, 202, "text/plain", bytes_of_text("done"), NULL);
    assert_null(fixture->kept);
    read_answer(fixture, slow, answer, sizeof answer);
    assert_non_null(strstr(answer, "202"));
    assert_non_null(strstr(answer, "done"));
    close(slow);
}

static void pending_requests_are_bounded_and_answered_at_the_end(void **state)
{
    fixture_t *fixture = *state;
    int clients[HTTP_PENDING_MAX];
    static const char request[] = HEAD_OF("GET /later") "\r\n";
    for (unsigned i = 0; i < HTTP_PENDING_MAX; i++) {
        clients[i] = connect_to(fixture);
        send_all(fixture, clients[i], request, sizeof request - 1);
        for (int turns = 0; turns < 1000 && fixture->handled <= i; turns++) {
            struct pollfd ready = {.fd = http_server_descriptor(fixture->server), .events = POLLIN};
            poll(&ready, 1, 10);
            http_server_run(fixture->server);
        }
    }
    assert_int_equal(fixture->handled, HTTP_PENDING_MAX);
    assert_int_equal(status_of(fixture, request), 503);
    assert_int_equal(fixture->handled, HTTP_PENDING_MAX);
    http_server_destroy(&fixture->server);
    for (unsigned i = 0; i < HTTP_PENDING_MAX; i++)
        close(clients[i]);
}

static void refuses_bodies_that_are_too_large(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(status_of(fixture, HEAD_OF("POST /p") "Content-Type: application/json\r\n"
                                                           "Content-Length: 1048577\r\n\r\n"),
                     413);
    char head[] = HEAD_OF("POST /p") "Content-Type: application/json\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\n100000\r\n";
    size_t size = sizeof head + HTTP_BODY_BYTES_MAX + 64;
    char *request = test_calloc(1, size);
    int len = snprintf(request, size, "%s", head);
    memset(request + len, ' ', HTTP_BODY_BYTES_MAX);
    strcpy(request + len + HTTP_BODY_BYTES_MAX, "\r\n1\r\n \r\n0\r\n\r\n");
    assert_int_equal(status_of(fixture, request), 0);
    assert_int_equal(fixture->handled, 0);
    test_free(request);
}

static void refuses_headers_that_are_too_large(void **state)
{
    fixture_t *fixture = *state;
    char *request = test_calloc(1, 40000);
    int len = snprintf(request, 40000, "%sX: ", HEAD_OF("GET /"));
    memset(request + len, 'x', 32 * 1024);
    strcat(request, "\r\n\r\n");
    assert_int_equal(status_of(fixture, request), 431);
    assert_int_equal(fixture->handled, 0);
    test_free(request);
}

static void refuses_what_contradicts_itself(void **state)
{
    fixture_t *fixture = *state;
    static const char *const bad[] = {
        HEAD_OF("POST /p") "Content-Type: application/json\r\nContent-Length: 2\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD_OF("POST /p") "Content-Type: application/json\r\nContent-Length: -1\r\n\r\n",
        HEAD_OF("POST /p") "Content-Type: application/json\r\nContent-Length: 2x\r\n\r\n{}",
        "GET / HTTP/1.1\r\n\r\n",
        "\x01\x02\x03\r\n\r\n",
        "GET /\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unsigned status = status_of(fixture, bad[i]);
        if (status != 0 && (status < 400 || status >= 600))
            fail_msg("request %zu was answered with %u", i, status);
    }
    assert_int_equal(fixture->handled, 0);
}

static void refuses_changes_from_web_pages_and_other_types(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(status_of(fixture, HEAD_OF("POST /p") "Content-Type: text/plain\r\n"
                                                           "Content-Length: 2\r\n\r\n{}"),
                     415);
    assert_int_equal(status_of(fixture, HEAD_OF("POST /p") "Content-Length: 2\r\n\r\n{}"), 415);
    assert_int_equal(status_of(fixture, HEAD_OF("POST /p") "Origin: http://evil\r\n\r\n"), 403);
    assert_int_equal(fixture->handled, 0);
    assert_int_equal(status_of(fixture, HEAD_OF("GET /p") "Origin: http://evil\r\n\r\n"), 200);
}

static void does_not_decode_paths(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(status_of(fixture, HEAD_OF("GET /a%00b/..%2fc") "\r\n"), 200);
    assert_string_equal(fixture->path, "/a%00b/..%2fc");
}

static void survives_clients_that_leave(void **state)
{
    fixture_t *fixture = *state;
    static const char *const partial[] = {"", "G", "GET / HTTP/1.1\r\nHost",
                                          HEAD_OF("POST /p") "Content-Type: application/json\r\n"
                                                             "Content-Length: 100\r\n\r\n{"};
    for (size_t i = 0; i < sizeof partial / sizeof partial[0]; i++) {
        int client = connect_to(fixture);
        send_all(fixture, client, partial[i], strlen(partial[i]));
        http_server_run(fixture->server);
        close(client);
        http_server_run(fixture->server);
    }
    assert_int_equal(status_of(fixture, HEAD_OF("GET /") "\r\n"), 200);
}

static void listens_only_where_it_may(void **state)
{
    fixture_t *fixture = *state;
    http_server_t *other;
    char endpoint[32];
    static const char *const bad[] = {
        "",          "127.0.0.1", ":1", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:",
        "0.0.0.0:0", "[::]:0",    "*:0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(http_server_start(bad[i], false, on_request, fixture, &other, NULL),
                         SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(http_server_start("0.0.0.0:0", true, on_request, fixture, &other, NULL),
                     SLUICE_OK);
    snprintf(endpoint, sizeof endpoint, "0.0.0.0:%u", http_server_port(other));
    http_server_t *second;
    assert_int_equal(http_server_start(endpoint, true, on_request, fixture, &second, NULL),
                     SLUICE_ERROR_IO);
    http_server_destroy(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hands_requests_over_whole),
        TEST(takes_chunked_bodies),
        TEST(answers_later_if_it_must),
        TEST(pending_requests_are_bounded_and_answered_at_the_end),
        TEST(refuses_bodies_that_are_too_large),
        TEST(refuses_headers_that_are_too_large),
        TEST(refuses_what_contradicts_itself),
        TEST(refuses_changes_from_web_pages_and_other_types),
        TEST(does_not_decode_paths),
        TEST(survives_clients_that_leave),
        TEST(listens_only_where_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
