#include "dispatcher/shell/server_ids.h"

#include <pthread.h>

/* A node that starts again under another slot may hold ids of both for a moment. */
#define USED_MAX (2 * SERVER_IDS_PER_NODE)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t used[USED_MAX];
static uint32_t used_count;

static bool is_used(uint32_t server_id)
{
    for (uint32_t i = 0; i < used_count; i++) {
        if (used[i] == server_id)
            return true;
    }
    return false;
}

sluice_error_t server_ids_claim(uint32_t first, uint32_t *server_id)
{
    sluice_error_t error = SLUICE_ERROR_FULL;
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < SERVER_ID_NUMBER_CHECK && used_count < USED_MAX; i++) {
        if (is_used(first + i))
            continue;
        used[used_count++] = first + i;
        *server_id = first + i;
        error = SLUICE_OK;
        break;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

void server_ids_release(uint32_t server_id)
{
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < used_count; i++) {
        if (used[i] == server_id) {
            used[i] = used[--used_count];
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}
