#include "dispatcher/upstream/log_location.h"

void log_location_set_file(log_location_t *location, bytes_t file)
{
    size_t len = file.len < LOG_LOCATION_FILE_MAX ? file.len : LOG_LOCATION_FILE_MAX;
    if (len)
        memcpy(location->text, file.data, len);
    location->text[len] = ':';
    location->file_len = len + 1;
}

const char *log_location_at(log_location_t *location, uint64_t offset)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + offset % 10);
    while ((offset /= 10) > 0);
    char *at = location->text + location->file_len;
    while (count > 0)
        *at++ = digits[--count];
    *at = '\0';
    return location->text;
}
