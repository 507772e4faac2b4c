#include "tests/testing.h"

#include "tests/integration/sink/cutting_proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define POLL_MS 20
#define BUFFER_SIZE 65536
#define CONNECTIONS_MAX 8

typedef struct {
    int client, server;
} connection_t;

struct cutting_proxy {
    char server_path[108];
    int listener;
    pthread_t thread;
    atomic_bool is_stopping, loses_next_commit, cut_arrives;
    atomic_uint cut_at;
    connection_t connections[CONNECTIONS_MAX];
    int count;
    char buffer[BUFFER_SIZE];
};

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

/* COM_QUERY: header of four bytes, 3, the text. */
static bool is_commit(const char *buffer, ssize_t len)
{
    return len == 11 && buffer[4] == 3 && memcmp(buffer + 5, "COMMIT", 6) == 0;
}

static bool is_cut_now(cutting_proxy_t *proxy)
{
    unsigned left = atomic_load(&proxy->cut_at);
    return left > 0 && atomic_fetch_sub(&proxy->cut_at, 1) == 1;
}

/* Passes on what the client sent; false: the connection ends. */
static bool pass_to_server(cutting_proxy_t *proxy, const connection_t *connection)
{
    ssize_t len = recv(connection->client, proxy->buffer, BUFFER_SIZE, 0);
    bool is_cut = len > 0 && is_cut_now(proxy);
    if (len <= 0 || (is_cut && !atomic_load(&proxy->cut_arrives)) ||
        send(connection->server, proxy->buffer, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
    bool is_lost =
        is_commit(proxy->buffer, len) && atomic_exchange(&proxy->loses_next_commit, false);
    if (!is_cut && !is_lost)
        return true;
    /* The answer says that it has been carried out, and is kept. */
    len = recv(connection->server, proxy->buffer, BUFFER_SIZE, 0);
    return false;
}

static bool pass_to_client(cutting_proxy_t *proxy, const connection_t *connection)
{
    ssize_t len = recv(connection->server, proxy->buffer, BUFFER_SIZE, 0);
    return len > 0 && send(connection->client, proxy->buffer, (size_t)len, MSG_NOSIGNAL) == len;
}

static void connection_begin(cutting_proxy_t *proxy)
{
    int client = accept(proxy->listener, NULL, NULL);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = address_of(proxy->server_path);
    if (proxy->count < CONNECTIONS_MAX &&
        connect(server, (struct sockaddr *)&address, sizeof address) == 0) {
        proxy->connections[proxy->count++] = (connection_t){client, server};
        return;
    }
    close(server);
    close(client);
}

static void connection_end(cutting_proxy_t *proxy, int at)
{
    close(proxy->connections[at].client);
    close(proxy->connections[at].server);
    proxy->connections[at] = proxy->connections[--proxy->count];
}

static void serve(cutting_proxy_t *proxy)
{
    struct pollfd fds[1 + 2 * CONNECTIONS_MAX] = {{.fd = proxy->listener, .events = POLLIN}};
    int count = proxy->count;
    for (int i = 0; i < count; i++) {
        fds[1 + 2 * i] = (struct pollfd){.fd = proxy->connections[i].client, .events = POLLIN};
        fds[2 + 2 * i] = (struct pollfd){.fd = proxy->connections[i].server, .events = POLLIN};
    }
    if (poll(fds, (nfds_t)(1 + 2 * count), POLL_MS) <= 0)
        return;
    /* From the last on: one that ends leaves its place to a later one, which was looked at. */
    for (int i = count; i-- > 0;) {
        const connection_t *connection = &proxy->connections[i];
        if ((fds[1 + 2 * i].revents && !pass_to_server(proxy, connection)) ||
            (fds[2 + 2 * i].revents && !pass_to_client(proxy, connection)))
            connection_end(proxy, i);
    }
    if (fds[0].revents)
        connection_begin(proxy);
}

static void *run(void *argument)
{
    cutting_proxy_t *proxy = argument;
    while (!atomic_load(&proxy->is_stopping))
        serve(proxy);
    while (proxy->count > 0)
        connection_end(proxy, 0);
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

void cutting_proxy_cut_at(cutting_proxy_t *proxy, unsigned n, bool arrives)
{
    atomic_store(&proxy->cut_arrives, arrives);
    atomic_store(&proxy->cut_at, n);
}

bool cutting_proxy_is_armed(const cutting_proxy_t *proxy)
{
    return atomic_load(&proxy->cut_at) > 0;
}
