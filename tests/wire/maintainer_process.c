#include "tests/wire/maintainer_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/runtime/clock.h"

#define ANSWER_BYTES_MAX (1024 * 1024)
#define ARGUMENTS_MAX 24

static mono_ns_t deadline(void)
{
    return mono_add(clock_mono(), DEADLINE_MS * NS_PER_MS);
}

static void check_deadline(mono_ns_t until, const char *what)
{
    if (mono_reached(until, clock_mono()))
        fail_msg("waited in vain for %s", what);
}

/* ---- the process ---- */

maintainer_process_t *maintainer_process_new(void)
{
    maintainer_process_t *self = calloc(1, sizeof *self);
    zsys_handler_set(NULL);
    strcpy(self->directory, "/tmp/sluice-wire-XXXXXX");
    assert_non_null(mkdtemp(self->directory));
    snprintf(self->control, sizeof self->control, "ipc://%s/control", self->directory);
    snprintf(self->status, sizeof self->status, "ipc://%s/status", self->directory);
    snprintf(self->log, sizeof self->log, "%s/log", self->directory);
    return self;
}

static void launch(maintainer_process_t *self, const char *extra)
{
    char *arguments[ARGUMENTS_MAX] = {(char *)MAINTAINER_PROGRAM,
                                      (char *)"--maintainer-http=127.0.0.1:0",
                                      (char *)"--maintainer-lease=2s",
                                      (char *)"--maintainer-lease-grace=500ms",
                                      (char *)"--maintainer-lease-answer=100ms",
                                      (char *)"--log-level=debug",
                                      (char *)"--maintainer-control",
                                      self->control,
                                      (char *)"--maintainer-status",
                                      self->status,
                                      (char *)"--maintainer-data",
                                      self->directory,
                                      (char *)"--log-file",
                                      self->log,
                                      (char *)extra,
                                      NULL};
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execv(MAINTAINER_PROGRAM, arguments);
        _exit(127);
    }
}

static int wait_for_end(maintainer_process_t *self)
{
    mono_ns_t until = deadline();
    int status;
    while (waitpid(self->pid, &status, WNOHANG) == 0) {
        check_deadline(until, "the end of the maintainer");
        usleep(2000);
    }
    self->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int maintainer_process_run(maintainer_process_t *self, const char *extra)
{
    launch(self, extra);
    return wait_for_end(self);
}

static char *read_log(const maintainer_process_t *self)
{
    char *text = calloc(1, ANSWER_BYTES_MAX);
    int file = open(self->log, O_RDONLY);
    if (file >= 0 && read(file, text, ANSWER_BYTES_MAX - 1) < 0)
        text[0] = '\0';
    if (file >= 0)
        close(file);
    return text;
}

bool maintainer_process_logged(const maintainer_process_t *self, const char *text)
{
    char *log = read_log(self);
    bool found = strstr(log, text) != NULL;
    free(log);
    return found;
}

static uint16_t find_port(const maintainer_process_t *self)
{
    char *log = read_log(self);
    unsigned port = 0;
    /* The newest start counts. */
    for (const char *at = log; (at = strstr(at, "http server listens")); at++) {
        const char *found = strstr(at, "port=");
        if (found)
            (void)sscanf(found, "port=%u", &port);
    }
    free(log);
    return (uint16_t)port;
}

void maintainer_process_start(maintainer_process_t *self)
{
    mono_ns_t until = deadline();
    unlink(self->log);
    launch(self, NULL);
    while ((self->http_port = find_port(self)) == 0) {
        int status;
        check_deadline(until, "the maintainer to listen");
        if (waitpid(self->pid, &status, WNOHANG) != 0) {
            self->pid = 0;
            fail_msg("the maintainer ended at its start, see %s", self->log);
        }
        usleep(2000);
    }
}

int maintainer_process_stop(maintainer_process_t *self, int signal)
{
    kill(self->pid, signal);
    return wait_for_end(self);
}

void maintainer_process_destroy(maintainer_process_t **out)
{
    static const char *const files[] = {"control", "status", "log", "meta.db", "meta.db-wal"};
    maintainer_process_t *self = *out;
    if (self->pid)
        (void)maintainer_process_stop(self, SIGKILL);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", self->directory, files[i]);
        unlink(path);
    }
    rmdir(self->directory);
    arena_clear(&self->arena);
    free(self);
    *out = NULL;
}

/* ---- HTTP ---- */

static char *exchange(uint16_t port, const char *request)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(client, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    char *answer = calloc(1, ANSWER_BYTES_MAX);
    size_t len = 0;
    ssize_t got;
    while ((got = recv(client, answer + len, ANSWER_BYTES_MAX - 1 - len, 0)) > 0)
        len += (size_t)got;
    close(client);
    assert_true(got == 0);
    return answer;
}

static char *ask(const maintainer_process_t *self, const char *method, const char *path,
                 const char *body)
{
    char request[8192];
    assert_true(snprintf(request, sizeof request,
                         "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s"
                         "Content-Length: %zu\r\n\r\n%s",
                         method, path, body ? "Content-Type: application/json\r\n" : "",
                         body ? strlen(body) : 0, body ? body : "") < (int)sizeof request);
    return exchange(self->http_port, request);
}

unsigned maintainer_process_http(const maintainer_process_t *self, const char *method,
                                 const char *path, const char *body, json_t **json)
{
    unsigned status = 0;
    char *answer = ask(self, method, path, body);
    const char *content = strstr(answer, "\r\n\r\n");
    assert_int_equal(sscanf(answer, "HTTP/1.1 %u", &status), 1);
    if (json)
        *json = content ? json_loads(content + 4, 0, NULL) : NULL;
    free(answer);
    return status;
}

double maintainer_process_metric(const maintainer_process_t *self, const char *name)
{
    char *answer = ask(self, "GET", "/metrics", NULL);
    double value = -1;
    char line[256];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(answer, line);
    if (found)
        value = strtod(found + strlen(line), NULL);
    free(answer);
    return value;
}

void maintainer_process_wait_metric(const maintainer_process_t *self, const char *name,
                                    double value)
{
    mono_ns_t until = deadline();
    while (maintainer_process_metric(self, name) != value) {
        check_deadline(until, name);
        usleep(20000);
    }
}

/* ---- a node ---- */

fake_node_t *fake_node_new(maintainer_process_t *maintainer, const char *name, uint64_t incarnation)
{
    fake_node_t *self = calloc(1, sizeof *self);
    self->maintainer = maintainer;
    self->incarnation = (incarnation_t){incarnation};
    assert_true(node_id_parse(bytes_of_text(name), &self->id));
    routing_id_t routing_id;
    routing_id_make(&self->id, self->incarnation, &routing_id);
    self->control = transport_socket_new(TRANSPORT_CONTROL_DEALER, &routing_id);
    self->status = transport_socket_new(TRANSPORT_STATUS_PUSH, NULL);
    assert_int_equal(transport_connect(self->control, maintainer->control, NULL), SLUICE_OK);
    assert_int_equal(transport_connect(self->status, maintainer->status, NULL), SLUICE_OK);
    return self;
}

void fake_node_destroy(fake_node_t **self)
{
    if (!*self)
        return;
    zsock_destroy(&(*self)->control);
    zsock_destroy(&(*self)->status);
    free(*self);
    *self = NULL;
}

message_t fake_node_message(const fake_node_t *self, message_type_t type)
{
    return (message_t){.header = {.version = SLUICE_PROTOCOL_VERSION,
                                  .type = type,
                                  .sender = self->id,
                                  .incarnation = self->incarnation}};
}

static void wait_for(zsock_t *socket, short events, mono_ns_t until, const char *what)
{
    zmq_pollitem_t item = {.socket = zsock_resolve(socket), .events = events};
    check_deadline(until, what);
    zmq_poll(&item, 1, 50);
}

static void send_over(zsock_t *socket, transport_role_t role, const frames_t *frames)
{
    mono_ns_t until = deadline();
    while (transport_send(socket, role, NULL, frames) == SLUICE_ERROR_AGAIN)
        wait_for(socket, ZMQ_POLLOUT, until, "room to send");
}

void fake_node_send_frames(fake_node_t *self, const frames_t *frames)
{
    send_over(self->control, TRANSPORT_CONTROL_DEALER, frames);
}

void fake_node_send(fake_node_t *self, const message_t *message)
{
    frames_t frames;
    arena_t arena = {0};
    bool is_status = message->header.type == MESSAGE_HEARTBEAT_REQUEST ||
                     message->header.type == MESSAGE_BLOCK_STATUS_REQUEST;
    assert_int_equal(message_encode(message, &arena, &frames), SLUICE_OK);
    if (is_status)
        send_over(self->status, TRANSPORT_STATUS_PUSH, &frames);
    else
        send_over(self->control, TRANSPORT_CONTROL_DEALER, &frames);
    arena_clear(&arena);
}

void fake_node_hello(fake_node_t *self)
{
    message_t message = fake_node_message(self, MESSAGE_HELLO);
    message.hello = (hello_t){.host = bytes_of_text("host"), .version = bytes_of_text("test")};
    fake_node_send(self, &message);
}

void fake_node_heartbeat(fake_node_t *self)
{
    message_t message = fake_node_message(self, MESSAGE_HEARTBEAT_REQUEST);
    message.heartbeat_request.answered_heartbeat = self->heartbeat_sequence;
    message.heartbeat_request.heartbeat_sequence = ++self->heartbeat_sequence;
    fake_node_send(self, &message);
}

message_t *fake_node_expect(fake_node_t *self, message_type_t type)
{
    mono_ns_t until = deadline();
    message_t *message = arena_alloc(&self->maintainer->arena, sizeof *message);
    for (;;) {
        transport_received_t received;
        uint32_t refused;
        if (transport_receive(self->control, TRANSPORT_CONTROL_DEALER, &self->maintainer->arena,
                              &received) != SLUICE_OK) {
            wait_for(self->control, ZMQ_POLLIN, until, message_type_name(type));
            fake_node_heartbeat(self);
            continue;
        }
        assert_int_equal(
            message_decode(&received.frames, &self->maintainer->arena, message, &refused),
            SLUICE_OK);
        assert_int_equal(refused, 0);
        if (message->header.type == type)
            return message;
    }
}
