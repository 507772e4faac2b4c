#include "common/runtime/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

mono_ns_t clock_mono(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (mono_ns_t){(uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec};
}

wall_ms_t clock_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (wall_ms_t){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NS_PER_MS};
}

int clock_poll_timeout(mono_ns_t deadline, mono_ns_t now)
{
    if (deadline.v == MONO_NEVER.v)
        return -1;
    uint64_t left_ns = mono_elapsed(now, deadline);
    uint64_t left_ms = left_ns / NS_PER_MS + (left_ns % NS_PER_MS ? 1 : 0);
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void clock_format(wall_ms_t at, char text[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(at.v / 1000);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    char date[24] = "";
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, CLOCK_TEXT_SIZE, "%s.%03uZ", date, (unsigned)(at.v % 1000));
}
