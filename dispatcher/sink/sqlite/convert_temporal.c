#include <ctype.h>
#include <stdio.h>

#include "dispatcher/sink/sqlite/convert_internal.h"

#define SECONDS_PER_DAY 86400
#define FSP_MAX 6

/* ---- parsing ---- */

/* `digits` digits into *number; returns what is behind them, NULL if they are not there. */
static const char *read_digits(const char *p, int digits, unsigned *number)
{
    *number = 0;
    for (int i = 0; p && i < digits; i++, p++) {
        if (!isdigit((unsigned char)*p))
            return NULL;
        *number = *number * 10 + (unsigned)(*p - '0');
    }
    return p;
}

static const char *read_char(const char *p, char c)
{
    return p && *p == c ? p + 1 : NULL;
}

static const char *read_fraction(const char *p, temporal_t *temporal)
{
    if (!p || *p != '.')
        return p;
    uint32_t scale = 100000;
    for (p++; isdigit((unsigned char)*p) && temporal->fsp < FSP_MAX; p++) {
        temporal->microsecond += (uint32_t)(*p - '0') * scale;
        scale /= 10;
        temporal->fsp++;
    }
    return temporal->fsp ? p : NULL;
}

static const char *read_date(const char *p, temporal_t *temporal)
{
    unsigned year, month, day;
    p = read_char(read_digits(p, 4, &year), '-');
    p = read_char(read_digits(p, 2, &month), '-');
    p = read_digits(p, 2, &day);
    if (!p || month > 12 || day > 31)
        return NULL;
    temporal->year = (uint16_t)year;
    temporal->month = (uint8_t)month;
    temporal->day = (uint8_t)day;
    return p;
}

static const char *read_clock(const char *p, int hour_digits, temporal_t *temporal)
{
    unsigned hour, minute, second;
    p = read_char(read_digits(p, hour_digits, &hour), ':');
    p = read_char(read_digits(p, 2, &minute), ':');
    p = read_digits(p, 2, &second);
    if (!p || minute > 59 || second > 59)
        return NULL;
    temporal->hour = (uint16_t)hour;
    temporal->minute = (uint8_t)minute;
    temporal->second = (uint8_t)second;
    return read_fraction(p, temporal);
}

bool temporal_parse(column_family_t family, bytes_t bytes, temporal_t *temporal)
{
    char text[TEMPORAL_TEXT_SIZE];
    *temporal = (temporal_t){0};
    if (bytes.len >= sizeof text)
        return false;
    memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';
    const char *p = text;
    if (family == FAMILY_TIME) {
        temporal->negative = *p == '-';
        p += temporal->negative;
        const char *colon = strchr(p, ':');
        int digits = colon ? (int)(colon - p) : 0;
        p = digits == 2 || digits == 3 ? read_clock(p, digits, temporal) : NULL;
        return p && *p == '\0' && temporal->hour <= 838;
    }
    p = read_date(p, temporal);
    if (p && family != FAMILY_DATE) {
        p = read_clock(read_char(p, ' '), 2, temporal);
        if (p && temporal->hour > 23)
            return false;
    }
    return p && *p == '\0';
}

/* ---- the calendar ---- */

/* Days since 1970-01-01 of the proleptic Gregorian calendar (H. Hinnant, days_from_civil). */
static int64_t days_of_date(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, temporal_t *temporal)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    temporal->day = (uint8_t)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    temporal->month = (uint8_t)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    temporal->year = (uint16_t)(year_of_era + era * 400 + (temporal->month <= 2));
}

static void set_seconds(temporal_t *temporal, int64_t seconds)
{
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t rest = seconds % SECONDS_PER_DAY;
    if (rest < 0) {
        rest += SECONDS_PER_DAY;
        days--;
    }
    date_of_days(days, temporal);
    temporal->hour = (uint16_t)(rest / 3600);
    temporal->minute = (uint8_t)(rest / 60 % 60);
    temporal->second = (uint8_t)(rest % 60);
}

void temporal_shift(temporal_t *temporal, int64_t seconds)
{
    int64_t now = days_of_date(temporal->year, temporal->month, temporal->day) * SECONDS_PER_DAY +
                  temporal->hour * 3600 + temporal->minute * 60 + temporal->second;
    set_seconds(temporal, now + seconds);
}

void temporal_of_epoch(int64_t microseconds, temporal_t *temporal)
{
    *temporal = (temporal_t){0};
    int64_t seconds = microseconds / 1000000;
    int64_t rest = microseconds % 1000000;
    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    set_seconds(temporal, seconds);
    temporal->microsecond = (uint32_t)rest;
}

/* ---- conversion ---- */

static bool is_temporal(column_family_t family)
{
    return family == FAMILY_DATE || family == FAMILY_TIME || family == FAMILY_DATETIME ||
           family == FAMILY_TIMESTAMP;
}

static value_kind_t kind_of(column_family_t family)
{
    switch ((int)family) {
    case FAMILY_DATE:
        return VALUE_DATE;
    case FAMILY_TIME:
        return VALUE_TIME;
    case FAMILY_TIMESTAMP:
        return VALUE_TIMESTAMP;
    }
    return VALUE_DATETIME;
}

/* A text as the new type writes it itself, or as a date or time with another fraction. */
static bool parse_text(column_family_t to, bytes_t text, temporal_t *temporal)
{
    if (temporal_parse(to, text, temporal))
        return true;
    return (to == FAMILY_DATETIME || to == FAMILY_TIMESTAMP) &&
           temporal_parse(FAMILY_DATE, text, temporal);
}

static sluice_error_t move_zone(const conversion_t *conversion, column_family_t from_family,
                                column_family_t to_family, const stored_value_t *from,
                                temporal_t *temporal)
{
    bool from_utc = from_family == FAMILY_TIMESTAMP, to_utc = to_family == FAMILY_TIMESTAMP;
    if (from_utc == to_utc || temporal->year == 0)
        return SLUICE_OK;
    if (!conversion->context->has_offset)
        return conversion_refuse(
            conversion, from,
            "the time zone of the statement's session is no fixed offset (say which SYSTEM is by "
            "system-time-zone=+HH:MM in the sink's URI)");
    int64_t offset = conversion->context->offset_seconds;
    temporal_shift(temporal, from_utc ? offset : -offset);
    return SLUICE_OK;
}

/* Cut, not rounded; what becomes zero by it has no sign. */
static void cut_fraction(temporal_t *temporal, uint8_t fsp)
{
    uint32_t unit = 1000000;
    for (int i = 0; i < fsp; i++)
        unit /= 10;
    temporal->fsp = fsp;
    temporal->microsecond -= temporal->microsecond % unit;
    if (!temporal->hour && !temporal->minute && !temporal->second && !temporal->microsecond)
        temporal->negative = false;
}

sluice_error_t convert_to_temporal(const conversion_t *conversion, const stored_value_t *from,
                                   stored_value_t *to)
{
    column_family_t from_family = conversion->from_family;
    column_family_t to_family = column_family(conversion->after);
    temporal_t temporal;
    bool is_known;
    if (from_family == FAMILY_TEXT)
        is_known = parse_text(to_family, from->bytes, &temporal);
    else
        is_known = is_temporal(from_family) && temporal_parse(from_family, from->bytes, &temporal);
    if (!is_known)
        return conversion_refuse(conversion, from, "it is no date or time of that kind");
    if (from_family == FAMILY_TIME && to_family != FAMILY_TIME)
        return conversion_refuse(conversion, from, "a time has no date");
    if (from_family == FAMILY_DATE && to_family == FAMILY_TIME)
        return conversion_refuse(conversion, from, "a date has no time");
    sluice_error_t error = move_zone(conversion, from_family, to_family, from, &temporal);
    if (error)
        return error;
    if (to_family == FAMILY_TIMESTAMP && temporal.year != 0 &&
        (temporal.year < 1970 || temporal.year > 2037))
        return conversion_refuse(conversion, from, "it is outside of what a TIMESTAMP holds");
    cut_fraction(&temporal, conversion->after->fsp);
    char text[TEMPORAL_TEXT_SIZE];
    size_t len = temporal_format(kind_of(to_family), &temporal, text);
    *to = stored_text(arena_bytes(conversion->context->arena, bytes_of(text, len)));
    return SLUICE_OK;
}
