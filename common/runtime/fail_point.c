#include "common/runtime/fail_point.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/runtime/log.h"

#define ORDERS_MAX 32
#define FILTER_SIZE 128
#define NAME_SIZE 64
/* What was given to a socket leaves by a thread that would be stopped or killed too. */
#define LEAVES_WITHIN_MS 50

typedef enum { ACTION_KILL, ACTION_STOP, ACTION_DELAY, ACTION_ERROR, ACTION_OFF } action_t;

static const char *const action_names[] = {"kill", "stop", "delay", "error", "off"};

typedef struct {
    char name[NAME_SIZE];
    char filter[FILTER_SIZE]; /* "": everything */
    action_t action;
    uint64_t delay_ms;
    uint64_t at; /* 0: each passage */
    uint64_t passages;
} order_t;

static pthread_once_t environment_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static order_t orders[ORDERS_MAX]; /* under the mutex */
static size_t order_count;
static atomic_size_t armed_count;

/* ---- orders ---- */

static bool name_is_known(const char *name)
{
    for (const fail_point_name_t *known = fail_point_names; known->name; known++)
        if (strcmp(known->name, name) == 0)
            return true;
    return false;
}

static bool number_parse(const char *text, uint64_t *number)
{
    char *end;
    *number = strtoull(text, &end, 10);
    return isdigit((unsigned char)*text) && *end == '\0';
}

static bool action_parse(char *text, order_t *order)
{
    order->at = 1;
    char *count = strchr(text, '@');
    if (count) {
        *count++ = '\0';
        if (strcmp(count, "*") == 0)
            order->at = 0;
        else if (!number_parse(count, &order->at) || order->at == 0)
            return false;
    }
    if (strncmp(text, "delay:", 6) == 0) {
        order->action = ACTION_DELAY;
        return number_parse(text + 6, &order->delay_ms);
    }
    for (action_t action = ACTION_KILL; action <= ACTION_OFF; action++) {
        order->action = action;
        if (action != ACTION_DELAY && strcmp(text, action_names[action]) == 0)
            return true;
    }
    return false;
}

static bool order_parse(char *text, order_t *order)
{
    *order = (order_t){0};
    char *filter = strchr(text, '('), *action = strchr(text, '=');
    if (filter && action && filter < action) {
        *filter++ = '\0';
        action = strstr(filter, ")=");
        if (!action || (size_t)(action - filter) >= sizeof order->filter)
            return false;
        *action++ = '\0';
        strcpy(order->filter, filter);
    }
    if (!action)
        return false;
    *action++ = '\0';
    if (strlen(text) >= sizeof order->name || !name_is_known(text))
        return false;
    strcpy(order->name, text);
    return action_parse(action, order);
}

static bool is_same_place(const order_t *a, const order_t *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->filter, b->filter) == 0;
}

/* Replaces what was ordered of that place before. false: no room. */
static bool order_put(order_t *list, size_t *count, const order_t *order)
{
    size_t at = 0;
    while (at < *count && !is_same_place(&list[at], order))
        at++;
    if (order->action == ACTION_OFF) {
        if (at < *count)
            list[at] = list[--*count];
        return true;
    }
    if (at == ORDERS_MAX)
        return false;
    list[at] = *order;
    if (at == *count)
        ++*count;
    return true;
}

sluice_error_t fail_point_arm(const char *text, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    char *copy = strdup(text), *rest = NULL;
    pthread_mutex_lock(&mutex);
    order_t list[ORDERS_MAX];
    size_t count = order_count;
    memcpy(list, orders, sizeof list);
    for (char *piece = strtok_r(copy, ";", &rest); piece && error == SLUICE_OK;
         piece = strtok_r(NULL, ";", &rest)) {
        order_t order;
        char shown[NAME_SIZE];
        snprintf(shown, sizeof shown, "%s", piece);
        if (!order_parse(piece, &order) || !order_put(list, &count, &order))
            error = error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                     "fail point order \"%s…\": see fail_point.h", shown);
    }
    if (error == SLUICE_OK) {
        memcpy(orders, list, sizeof orders);
        order_count = count;
        atomic_store(&armed_count, count);
    }
    pthread_mutex_unlock(&mutex);
    free(copy);
    return error;
}

void fail_point_disarm_all(void)
{
    pthread_mutex_lock(&mutex);
    order_count = 0;
    atomic_store(&armed_count, 0);
    pthread_mutex_unlock(&mutex);
}

/* A test that arms what does not exist must not seem to pass. */
static void environment_read(void)
{
    error_report_t report;
    const char *text = getenv("SLUICE_FAIL_POINTS");
    if (text && fail_point_arm(text, &report) != SLUICE_OK) {
        LOG(LOG_LEVEL_ERROR, "fail_point", NULL, "SLUICE_FAIL_POINTS is wrong",
            log_text("text", report.text));
        exit(2);
    }
}

/* ---- passing ---- */

bool fail_point_any_armed(void)
{
    pthread_once(&environment_once, environment_read);
    return atomic_load(&armed_count) > 0;
}

static bool filter_fits(const char *filter, uint64_t commit_ts, const char *subject)
{
    uint64_t number;
    if (*filter == '\0')
        return true;
    if (number_parse(filter, &number))
        return number == commit_ts;
    return subject && strstr(subject, filter);
}

/* The order that is carried out now, if any; `passed`: one that fits, carried out or not. */
static bool order_find(const char *name, uint64_t commit_ts, const char *subject, order_t *passed,
                       bool *is_passed)
{
    bool fires = false;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < order_count && !fires; i++) {
        order_t *order = &orders[i];
        if (strcmp(order->name, name) != 0 || !filter_fits(order->filter, commit_ts, subject))
            continue;
        order->passages++;
        fires = order->at == 0 || order->at == order->passages;
        *passed = *order;
        *is_passed = true;
    }
    pthread_mutex_unlock(&mutex);
    return fires;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec rest = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&rest, &rest) != 0)
        continue;
}

/* To this thread, which must not get one step further; such a signal stops or ends all of them. */
static void end_or_stop(const order_t *order, int signal_number)
{
    const char *moment = strrchr(order->name, '.');
    if (strcmp(moment, ".sent") == 0)
        sleep_ms(LEAVES_WITHIN_MS);
    raise(signal_number);
}

static sluice_error_t carry_out(const order_t *order)
{
    switch (order->action) {
    case ACTION_KILL:
        end_or_stop(order, SIGKILL);
        break;
    case ACTION_STOP:
        end_or_stop(order, SIGSTOP);
        break;
    case ACTION_DELAY:
        sleep_ms(order->delay_ms);
        break;
    case ACTION_ERROR:
        return SLUICE_ERROR_AGAIN;
    case ACTION_OFF:
        break;
    }
    return SLUICE_OK;
}

sluice_error_t fail_point_pass(const char *name, uint64_t commit_ts, const char *subject)
{
    order_t order = {0};
    bool is_passed = false;
    bool fires = order_find(name, commit_ts, subject, &order, &is_passed);
    if (!is_passed)
        return SLUICE_OK;
    LOG(LOG_LEVEL_WARNING, "fail_point", NULL, "fail point passed", log_text("point", name),
        log_text("action", fires ? action_names[order.action] : "-"),
        log_number("passage", order.passages), log_number("commit_ts", commit_ts),
        log_text("subject", subject));
    return fires ? carry_out(&order) : SLUICE_OK;
}
