#include "tests/testing.h"

#include "tests/integration/sink/cutting_proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define POLL_MS 20
#define BUFFER_SIZE 65536

struct cutting_proxy {
    char server_path[108];
    int listener;
    pthread_t thread;
    atomic_bool is_stopping, loses_next_commit;
};

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

/* Passes on what is there; false when the connection ended. */
static bool pass(int from, int to, char *buffer, ssize_t *len)
{
    *len = recv(from, buffer, BUFFER_SIZE, 0);
    return *len > 0 && send(to, buffer, (size_t)*len, MSG_NOSIGNAL) == *len;
}

/* COM_QUERY: header of four bytes, 3, the text. */
static bool is_commit(const char *buffer, ssize_t len)
{
    return len == 11 && buffer[4] == 3 && memcmp(buffer + 5, "COMMIT", 6) == 0;
}

/* Waits for the answer, so that the COMMIT has been carried out, and keeps it. */
static void answer_lose(int server, char *buffer)
{
    ssize_t len = recv(server, buffer, BUFFER_SIZE, 0);
    (void)len;
}

static void connection_serve(cutting_proxy_t *proxy, int client, int server)
{
    char *buffer = malloc(BUFFER_SIZE);
    struct pollfd ends[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    bool is_alive = true;
    while (is_alive && !atomic_load(&proxy->is_stopping)) {
        if (poll(ends, 2, POLL_MS) <= 0)
            continue;
        ssize_t len = 0;
        if (ends[0].revents)
            is_alive = pass(client, server, buffer, &len);
        if (is_alive && ends[0].revents && is_commit(buffer, len) &&
            atomic_exchange(&proxy->loses_next_commit, false)) {
            answer_lose(server, buffer);
            break;
        }
        if (is_alive && ends[1].revents)
            is_alive = pass(server, client, buffer, &len);
    }
    free(buffer);
}

static void *run(void *argument)
{
    cutting_proxy_t *proxy = argument;
    struct pollfd poll_fd = {.fd = proxy->listener, .events = POLLIN};
    while (!atomic_load(&proxy->is_stopping)) {
        if (poll(&poll_fd, 1, POLL_MS) <= 0)
            continue;
        int client = accept(proxy->listener, NULL, NULL);
        int server = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un address = address_of(proxy->server_path);
        if (connect(server, (struct sockaddr *)&address, sizeof address) == 0)
            connection_serve(proxy, client, server);
        close(server);
        close(client);
    }
    return NULL;
}

cutting_proxy_t *cutting_proxy_start(const char *path, const char *server_path)
{
    cutting_proxy_t *proxy = calloc(1, sizeof *proxy);
    snprintf(proxy->server_path, sizeof proxy->server_path, "%s", server_path);
    proxy->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = address_of(path);
    if (bind(proxy->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(proxy->listener, 4) != 0 || pthread_create(&proxy->thread, NULL, run, proxy) != 0)
        fail_msg("cannot start the proxy at %s", path);
    return proxy;
}

void cutting_proxy_stop(cutting_proxy_t **proxy)
{
    if (!*proxy)
        return;
    atomic_store(&(*proxy)->is_stopping, true);
    pthread_join((*proxy)->thread, NULL);
    close((*proxy)->listener);
    free(*proxy);
    *proxy = NULL;
}

void cutting_proxy_lose_next_commit(cutting_proxy_t *proxy)
{
    atomic_store(&proxy->loses_next_commit, true);
}
