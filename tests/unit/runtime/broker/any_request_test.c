/*
 * Whatever decodes may be asked: random requests of every API in every version, also in crowds, each get one answer, which can be
 * encoded in the version that was asked.
 */
#include "broker_rig.h"

#include "base/trace.h"

enum { ROUNDS = 30, CROWD = 20 };

/* What a crash leaves with the workers is never given back, by design. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void send_random(struct rig *rig, struct ask *ask, const struct api *api, int16_t version)
{
    ask_new(ask, api->key, version);
    assert_int_equal(wire_random(api->request, version, sim_world_prng(rig->world), &ask->request->arena, ask->request->body), 0);
    rig_send(rig, ask);
}

static void end_random(struct rig *rig, struct ask *ask)
{
    struct wire_frame frame;
    struct error_text error = { "" };
    for (int i = 0; i < 1000 && !ask->answered; i++)
        sim_world_step(rig->world);
    if (!ask->answered) /* a fetch or a join that waits as long as it was told to */
        broker_hurry(rig->broker, ask->request, sim_world_now(rig->world));
    rig_wait(rig, ask);
    if (ask->request->response.body && response_encode(ask->request, &frame, &error) != 0)
        fail_msg("%s version %d: %s", ask->request->api->name, ask->request->api_version, error.text);
    ask_end(ask);
}

static void every_version_of_every_api_answers_random_requests(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < api_table_count; i++)
        for (int16_t version = api_table[i].request->version_min; version <= api_table[i].request->version_max; version++)
            for (int round = 0; round < ROUNDS && broker_has_api(api_table[i].key); round++) {
                struct ask ask;
                send_random(rig, &ask, &api_table[i], version);
                end_random(rig, &ask);
            }
    assert_int_equal(rig_create_topic(rig, "still-alive", 1, NULL, NULL), KAFKA_NONE);
}

static void crowds_of_random_requests_are_answered_too(void **state)
{
    struct rig *rig = *state;
    struct prng *prng = sim_world_prng(rig->world);
    for (int round = 0; round < ROUNDS; round++) {
        struct ask crowd[CROWD];
        for (int i = 0; i < CROWD; i++) {
            const struct api *api;
            do {
                api = &api_table[prng_below(prng, (uint64_t)api_table_count)];
            } while (!broker_has_api(api->key));
            int16_t versions = (int16_t)(api->request->version_max - api->request->version_min + 1);
            send_random(rig, &crowd[i], api,
                        (int16_t)(api->request->version_min + (int16_t)prng_below(prng, (uint64_t)versions)));
        }
        for (int i = 0; i < CROWD; i++)
            end_random(rig, &crowd[i]);
        if (round % 10 == 9)
            rig_crash(rig, false);
    }
}

static int set_up(void **state)
{
    trace_set_level(TRACE_OFF);
    return rig_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_version_of_every_api_answers_random_requests, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(crowds_of_random_requests_are_answered_too, set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
