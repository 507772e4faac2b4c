#include "maintainer/ctl/wait.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/runtime/clock.h"

#define INTERVAL_NS (100 * NS_PER_MS)

static const char *text_of(const client_answer_t *answer, const char *field)
{
    const char *text = json_string_value(json_object_get(answer->json, field));
    return text ? text : "";
}

static json_int_t number_of(const json_t *json, const char *field)
{
    return json_integer_value(json_object_get(json, field));
}

static wait_verdict_t failed(const client_answer_t *answer)
{
    const json_t *error = json_object_get(answer->json, "error");
    const char *text = json_string_value(json_object_get(error, "message"));
    const char *message = json_string_value(json_object_get(answer->json, "error_msg"));
    fprintf(stderr, "sluicectl: waiting is in vain: %s\n",
            text      ? text
            : message ? message
                      : "the server has nothing to say about it");
    return WAIT_FAILED;
}

static bool is_answered(const client_answer_t *answer)
{
    return answer->status == 200 && answer->json;
}

/* A maintainer that has just started answers 503; a failed changefeed does not come right again. */
wait_verdict_t wait_judge_running(const client_answer_t *answer)
{
    if (answer->status == 404 || strcmp(text_of(answer, "state"), "failed") == 0)
        return failed(answer);
    if (!is_answered(answer) || strcmp(text_of(answer, "phase"), "running") != 0)
        return WAIT_MORE;
    const json_t *spans = json_object_get(answer->json, "spans");
    bool all = number_of(spans, "replicating") == number_of(answer->json, "span_count") &&
               number_of(answer->json, "span_count") > 0;
    return all ? WAIT_DONE : WAIT_MORE;
}

wait_verdict_t wait_judge_stopped(const client_answer_t *answer)
{
    if (answer->status == 404 || strcmp(text_of(answer, "state"), "failed") == 0)
        return failed(answer);
    bool is_stopped = is_answered(answer) && strcmp(text_of(answer, "state"), "stopped") == 0 &&
                      strcmp(text_of(answer, "phase"), "closing") != 0;
    return is_stopped ? WAIT_DONE : WAIT_MORE;
}

wait_verdict_t wait_judge_gone(const client_answer_t *answer)
{
    return answer->status == 404 ? WAIT_DONE : WAIT_MORE;
}

wait_verdict_t wait_judge_drained(const client_answer_t *answer)
{
    if (answer->status == 404 || answer->status == 409)
        return failed(answer);
    bool is_empty = answer->status == 202 && number_of(answer->json, "current_span_count") == 0;
    return is_empty ? WAIT_DONE : WAIT_MORE;
}

ctl_exit_t wait_until(const ctl_options_t *options, const char *method, const char *path,
                      wait_judge_t *judge, json_t **last)
{
    mono_ns_t until = mono_add(clock_mono(), options->wait_seconds * NS_PER_S);
    if (last)
        *last = NULL;
    while (options->wait_seconds) {
        client_answer_t answer;
        ctl_exit_t code = client_request(options, method, path, NULL, &answer);
        if (code != CTL_OK)
            return code;
        wait_verdict_t verdict = judge(&answer);
        if (last && verdict == WAIT_DONE)
            *last = answer.json;
        else
            json_decref(answer.json);
        if (verdict != WAIT_MORE)
            return verdict == WAIT_DONE ? CTL_OK : CTL_SERVER_ERROR;
        if (mono_reached(until, clock_mono())) {
            fprintf(stderr, "sluicectl: waited for %u s in vain\n", options->wait_seconds);
            return CTL_WAIT_TIMED_OUT;
        }
        struct timespec interval = {.tv_nsec = (long)INTERVAL_NS};
        nanosleep(&interval, NULL);
    }
    return CTL_OK;
}
