/* Silence as an application sees it: the broker inside says that there is nothing to read. */
#include "support/cmocka_all.h"

#include <pthread.h>

#include "millstream/app.h"
#include "support/temp_dir.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool has_been_silent;

static int look(mill_context *context, void *self, int64_t timestamp_ms)
{
    if (mill_context_idle_ms(context) < 200)
        return 0;
    pthread_mutex_lock(&mutex);
    has_been_silent = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    return 0;
}

static int init(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, 20, MILL_PUNCTUATE_WALL_CLOCK, look) != NULL ? 0 : MILL_ENOMEM;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    return 0;
}

static void an_application_with_nothing_to_read_is_idle(void **state)
{
    static const mill_processor_type LOOKS = { .name = "looks", .init = init, .process = process };
    struct temp_dir dir;
    temp_dir_init(&dir);
    mill_topology *topology = mill_topology_new();
    mill_topology_add_source(topology, "source", (const char *[]){ "in" }, 1, NULL);
    mill_topology_add_processor(topology, "looks", (mill_processor_supplier){ &LOOKS }, (const char *[]){ "source" }, 1);
    const char *const properties[] = { "application.id",   "idle", "listeners", "PLAINTEXT://127.0.0.1:0", "state.dir", dir.path,
                                       "mill.trace.level", "off",  NULL };
    mill_app *app = mill_app_new(topology, properties, NULL, 0);
    assert_non_null(app);
    assert_int_equal(mill_app_start(app), 0);
    pthread_mutex_lock(&mutex);
    while (!has_been_silent)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    assert_int_equal(mill_app_close(app, 60000), 0);
    mill_app_free(app);
    mill_topology_free(topology);
    temp_dir_release(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_application_with_nothing_to_read_is_idle) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
