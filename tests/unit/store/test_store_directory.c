#include "tests/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dispatcher/store/store_directory.h"

static char parent[] = "/tmp/sluice-test-XXXXXX";

static uint32_t count_directories(void)
{
    uint32_t count = 0;
    DIR *entries = opendir(parent);
    struct dirent *entry;
    while ((entry = readdir(entries)))
        count += entry->d_type == DT_DIR && entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static void put_file(const store_directory_t *directory)
{
    char *data = store_directory_data(directory), path[4200];
    assert_int_equal(mkdir(data, 0700), 0);
    snprintf(path, sizeof path, "%s/rows", data);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    free(data);
}

static void each_has_its_own_and_removes_it_whole(void **state)
{
    (void)state;
    store_directory_t first, second;
    assert_int_equal(store_directory_make(parent, &first, NULL), SLUICE_OK);
    assert_int_equal(store_directory_make(parent, &second, NULL), SLUICE_OK);
    put_file(&first);
    assert_int_equal(count_directories(), 2);
    /* Both live: nothing of them is taken for remains. */
    store_directory_clean(parent);
    assert_int_equal(count_directories(), 2);
    store_directory_remove(&first);
    assert_int_equal(count_directories(), 1);
    store_directory_remove(&second);
    assert_int_equal(count_directories(), 0);
    store_directory_remove(&second);
}

static void what_a_dead_process_left_is_removed(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        store_directory_t directory;
        if (store_directory_make(parent, &directory, NULL) == SLUICE_OK)
            put_file(&directory);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(count_directories(), 1);
    store_directory_clean(parent);
    assert_int_equal(count_directories(), 0);
}

static void a_parent_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    store_directory_t directory;
    error_report_t report;
    assert_int_equal(store_directory_make("/proc/no-such", &directory, &report), SLUICE_ERROR_IO);
    assert_non_null(strstr(report.text, "/proc/no-such"));
    store_directory_clean("/proc/no-such");
    store_directory_remove(&directory);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(parent) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", parent);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_own_and_removes_it_whole),
        cmocka_unit_test(what_a_dead_process_left_is_removed),
        cmocka_unit_test(a_parent_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
