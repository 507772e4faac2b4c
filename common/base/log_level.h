/* How much a line of the log matters. Here, because cores say it and the runtime writes it. */
#ifndef SLUICE_COMMON_BASE_LOG_LEVEL_H
#define SLUICE_COMMON_BASE_LOG_LEVEL_H

typedef enum { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR } log_level_t;

#endif
