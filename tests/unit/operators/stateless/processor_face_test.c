/* The low-level face through the DSL: fixed keys, headers, stores that come with a processor, sinks of several topics, print. */
#include "../pipeline.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- fixed keys ------------------------------------------------------------------------------------------------------------ */

/* Forwards the record under its value as the key when that is longer than one byte. */
static int rekey_process(mill_context *context, void *self, const mill_record *record)
{
    mill_record changed = *record;
    if (record->value.len > 1)
        changed.key = record->value;
    return mill_forward(context, &changed);
}

static int tick(mill_context *context, void *self, int64_t timestamp_ms)
{
    return mill_forward(context, &(mill_record){ .key = mill_string("k"), .timestamp_ms = timestamp_ms });
}

static int ticking_init(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, 10, MILL_PUNCTUATE_WALL_CLOCK, tick) ? 0 : MILL_ENOMEM;
}

static const mill_processor_type REKEY = { .name = "rekey", .process = rekey_process };
static const mill_processor_type TICKING = { .name = "ticking", .init = ticking_init, .process = rekey_process };

static void a_fixed_key_processor_keeps_the_key(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_process_values(pipeline_in(&p), (mill_processor_supplier){ &REKEY }, NULL, 0), "out");
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "a", 1);
    pipeline_pipe(&p, "in", NULL, "b", 2);
    expect(&p, "k=a@1 ~=b@2");
    mill_record record = { .key = mill_string("k"), .value = mill_string("long"), .timestamp_ms = 3 };
    assert_int_equal(mill_test_driver_pipe(p.driver, "in", &record), MILL_EINVALID);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "fixed key"));
    assert_non_null(strstr(mill_test_driver_error(p.driver), "topic in, partition 0, offset 2"));
    pipeline_end(&p);
}

static void a_processor_may_change_the_key(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_process(pipeline_in(&p), (mill_processor_supplier){ &REKEY }, NULL, 0), "out");
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "long", 3);
    expect(&p, "long=long@3");
    pipeline_end(&p);
}

static void a_fixed_key_processor_cannot_forward_from_a_punctuator(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_process_values(pipeline_in(&p), (mill_processor_supplier){ &TICKING }, NULL, 0), "out");
    pipeline_start(&p);
    assert_int_equal(mill_test_driver_advance(p.driver, 10), MILL_EINVALID);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "punctuator"));
    pipeline_end(&p);
}

/* ---- headers --------------------------------------------------------------------------------------------------------------- */

static int relabel_process(mill_context *context, void *self, const mill_record *record)
{
    mill_record changed = *record;
    const mill_header *origin = mill_record_header(record, "origin");
    int code = 0;
    if (origin != NULL)
        code = mill_record_add_header(context, &changed, "seen", origin->value);
    if (code == 0)
        code = mill_record_remove_headers(context, &changed, "origin");
    if (code == 0)
        code = mill_record_add_header(context, &changed, "by", mill_string("relabel"));
    return code == 0 ? mill_forward(context, &changed) : code;
}

static const mill_processor_type RELABEL = { .name = "relabel", .process = relabel_process };

static void headers_are_read_added_and_removed(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_process(pipeline_in(&p), (mill_processor_supplier){ &RELABEL }, NULL, 0), "out");
    pipeline_start(&p);
    const mill_header headers[] = { { mill_string("origin"), mill_string("first") },
                                    { mill_string("kept"), mill_null() },
                                    { mill_string("origin"), mill_string("last") } };
    mill_record record = { .key = mill_string("k"), .value = mill_string("v"), .headers = headers, .header_count = 3 };
    pipeline_ok(&p, mill_test_driver_pipe(p.driver, "in", &record));
    mill_record out;
    assert_int_equal(mill_test_driver_read(p.driver, "out", &out), 1);
    assert_int_equal(out.header_count, 3);
    assert_true(mill_is_null(mill_record_header(&out, "kept")->value));
    assert_true(mill_bytes_equal(mill_record_header(&out, "seen")->value, mill_string("last")));
    assert_true(mill_bytes_equal(mill_record_header(&out, "by")->value, mill_string("relabel")));
    assert_null(mill_record_header(&out, "origin"));
    pipeline_end(&p);
}

/* ---- stores that come with a processor ------------------------------------------------------------------------------------- */

static int remember_process(mill_context *context, void *self, const mill_record *record)
{
    return mill_key_value_put(mill_context_store(context, "memory"), record->key, record->value, record->timestamp_ms);
}

static int recall_process(mill_context *context, void *self, const mill_record *record)
{
    mill_record found = *record;
    int code = mill_key_value_get(mill_context_store(context, "memory"), record->key, &found.value, &found.timestamp_ms);
    return code < 0 ? code : mill_forward(context, &found);
}

static const mill_processor_type REMEMBER = { .name = "remember", .process = remember_process };
static const mill_processor_type RECALL = { .name = "recall", .process = recall_process };

static void processors_share_a_store_that_both_bring(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_store_builder *memory[] = { mill_store_in_memory(mill_key_value_store("memory")) };
    mill_processor_supplier remember = { .type = &REMEMBER, .stores = memory, .store_count = 1 };
    mill_processor_supplier recall = { .type = &RECALL, .stores = memory, .store_count = 1 };
    (void)mill_stream_process(pipeline_in(&p), remember, NULL, 0);
    mill_stream_to(mill_stream_process(mill_topology_stream(p.topology, "questions", NULL), recall, NULL, 0), "out");
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "remembered", 5);
    pipeline_pipe(&p, "questions", "k", "?", 9);
    expect(&p, "k=remembered@5");
    pipeline_end(&p);
}

static void low_level_processors_bring_stores_too(void **state)
{
    struct pipeline p = pipeline_begin();
    const char *source = "source";
    const char *recall_name = "recall";
    mill_store_builder *memory[] = { mill_store_in_memory(mill_key_value_store("memory")) };
    mill_topology_add_source(p.topology, source, (const char *[]){ "in" }, 1, NULL);
    mill_topology_add_processor(p.topology, "remember",
                                (mill_processor_supplier){ .type = &REMEMBER, .stores = memory, .store_count = 1 }, &source, 1);
    mill_topology_add_processor(p.topology, recall_name,
                                (mill_processor_supplier){ .type = &RECALL, .stores = memory, .store_count = 1 }, &source, 1);
    mill_topology_add_sink(p.topology, "sink", "out", NULL, &recall_name, 1);
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "v", 5);
    expect(&p, "k=v@5");
    pipeline_end(&p);
}

static void a_store_of_a_processor_that_is_refused_is_freed(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_store_builder *memory[] = { mill_key_value_store("memory") };
    const char *nobody = "nobody";
    mill_topology_add_processor(p.topology, "lost",
                                (mill_processor_supplier){ .type = &RECALL, .stores = memory, .store_count = 1 }, &nobody, 1);
    assert_non_null(strstr(mill_topology_error(p.topology), "nobody"));
    mill_topology_free(p.topology); /* the sanitizer sees the rest */
}

/* ---- what a commit forwards ------------------------------------------------------------------------------------------------ */

/* Keeps the last value of each key and forwards it at commit. */
static int forward_kept(void *ctx, const mill_record *update)
{
    return mill_forward(ctx, update);
}

static int keeper_init(mill_context *context, void *self, const void *argument)
{
    mill_store_on_flush(mill_context_store(context, "kept"), forward_kept, context);
    return 0;
}

static int keeper_process(mill_context *context, void *self, const mill_record *record)
{
    return mill_key_value_put(mill_context_store(context, "kept"), record->key, record->value, record->timestamp_ms);
}

static int careless_process(mill_context *context, void *self, const mill_record *record)
{
    int ignored = mill_forward(context, record);
    (void)ignored;
    return 0;
}

static int touchy_process(mill_context *context, void *self, const mill_record *record)
{
    if (mill_bytes_equal(record->value, mill_string("bad")))
        return mill_context_error(context, MILL_EUSER, "the value is bad");
    return mill_forward(context, record);
}

/* Needs much memory for each record, but for no longer. */
static int spacious_process(mill_context *context, void *self, const mill_record *record)
{
    return mill_context_alloc(context, 1 << 20) ? mill_forward(context, record) : MILL_ENOMEM;
}

static const mill_processor_type KEEPER = { .name = "keeper", .init = keeper_init, .process = keeper_process };
static const mill_processor_type CARELESS = { .name = "careless", .process = careless_process };
static const mill_processor_type TOUCHY = { .name = "touchy", .process = touchy_process };
static const mill_processor_type SPACIOUS = { .name = "spacious", .process = spacious_process };

static mill_stream *kept_until_commit(struct pipeline *p)
{
    mill_store_builder *kept[] = { mill_store_with_caching(mill_key_value_store("kept"), true) };
    mill_processor_supplier keeper = { .type = &KEEPER, .stores = kept, .store_count = 1 };
    return mill_stream_process(pipeline_in(p), keeper, NULL, 0);
}

static void a_commit_fails_with_what_it_forwards_whatever_an_operator_above_makes_of_it(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *careless = mill_stream_process(kept_until_commit(&p), (mill_processor_supplier){ &CARELESS }, NULL, 0);
    mill_stream_to(mill_stream_process(careless, (mill_processor_supplier){ &TOUCHY }, NULL, 0), "out");
    pipeline_start(&p);
    mill_test_driver_auto_commit(p.driver, false);
    pipeline_pipe(&p, "in", "a", "bad", 1);
    pipeline_pipe(&p, "in", "b", "good", 2);
    assert_int_equal(mill_test_driver_commit(p.driver), MILL_EUSER);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "store kept: the value is bad"));
    expect(&p, ""); /* and ends there */
    pipeline_end(&p);
}

static void what_a_commit_forwards_has_the_memory_of_a_record_each(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream *spacious = mill_stream_process(kept_until_commit(&p), (mill_processor_supplier){ &SPACIOUS }, NULL, 0);
    mill_stream_to(spacious, "out");
    pipeline_start(&p);
    mill_test_driver_auto_commit(p.driver, false);
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        pipeline_pipe(&p, "in", key, "x", i);
    }
    pipeline_ok(&p, mill_test_driver_commit(p.driver));
    mill_record record;
    for (int i = 0; i < 200; i++)
        assert_int_equal(mill_test_driver_read(p.driver, "out", &record), 1);
    pipeline_end(&p);
}

/* ---- sinks ----------------------------------------------------------------------------------------------------------------- */

static size_t by_first_letter(void *ctx, const mill_record *record)
{
    return record->value.data[0] == 'a' ? 0 : record->value.data[0] == 'b' ? 1 : 2;
}

static void each_record_goes_to_the_topic_that_is_chosen_for_it(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to_one_of(pipeline_in(&p), (const char *[]){ "out", "others" }, 2, by_first_letter, NULL);
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "a1", 1);
    pipeline_pipe(&p, "in", "k", "b1", 2);
    pipeline_pipe(&p, "in", "k", "a2", 3);
    expect(&p, "k=a1@1 k=a2@3");
    mill_record other;
    assert_int_equal(mill_test_driver_read(p.driver, "others", &other), 1);
    assert_true(mill_bytes_equal(other.value, mill_string("b1")));
    mill_record record = { .key = mill_string("k"), .value = mill_string("c"), .timestamp_ms = 3 };
    assert_int_equal(mill_test_driver_pipe(p.driver, "in", &record), MILL_EINVALID);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "topic number 2 of 2"));
    pipeline_end(&p);
}

static void several_topics_need_a_choice(void **state)
{
    mill_topology *topology = mill_topology_new();
    mill_stream_to_one_of(mill_topology_stream(topology, "in", NULL), (const char *[]){ "a", "b" }, 2, NULL, NULL);
    assert_null(mill_topology_describe(topology));
    assert_non_null(strstr(mill_topology_error(topology), "choose_topic"));
    mill_topology_free(topology);
}

static void a_sink_of_several_topics_describes_them(void **state)
{
    mill_topology *topology = mill_topology_new();
    mill_stream_to_one_of(mill_topology_stream(topology, "in", NULL), (const char *[]){ "a", "b" }, 2, by_first_letter, NULL);
    char *text = mill_topology_describe(topology);
    assert_non_null(strstr(text, "Sink: KSTREAM-SINK-0000000001 (extractor class: one of a, b)"));
    mill_free(text);
    mill_topology_free(topology);
}

static size_t as_often_as_it_says(void *ctx, const char *topic, const mill_record *record, int32_t partition_count,
                                  int32_t *partitions)
{
    size_t times = (size_t)(record->value.data[0] - '0');
    for (size_t i = 0; i < times && i < (size_t)partition_count; i++)
        partitions[i] = (int32_t)i;
    return times;
}

static void a_multicast_sink_writes_to_every_partition_that_is_named(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_to_with(pipeline_in(&p), "out", &(mill_sink_options){ .multicast = as_often_as_it_says });
    pipeline_start(&p);
    pipeline_pipe(&p, "in", "k", "1", 1);
    pipeline_pipe(&p, "in", "k", "0", 2); /* to none: dropped and counted */
    expect(&p, "k=1@1");
    assert_int_equal(mill_test_driver_dropped(p.driver, "no-partition"), 1);
    mill_record record = { .key = mill_string("k"), .value = mill_string("2"), .timestamp_ms = 3 };
    assert_int_equal(mill_test_driver_pipe(p.driver, "in", &record), MILL_EINVALID); /* the driver has one partition */
    pipeline_end(&p);
}

/* ---- printing -------------------------------------------------------------------------------------------------------------- */

/* Standard output, while it goes into a file. */
struct caught_output {
    char path[32];
    int file;
    int before;
};

static struct caught_output catch_output(void)
{
    struct caught_output caught = { .path = "/tmp/print_testXXXXXX" };
    caught.file = mkstemp(caught.path);
    caught.before = dup(1);
    assert_true(caught.file >= 0 && caught.before >= 0);
    fflush(stdout);
    dup2(caught.file, 1);
    return caught;
}

/* Lets it go, and returns how much was written to it. */
static size_t end_output(const struct caught_output *caught, char text[256])
{
    fflush(stdout);
    dup2(caught->before, 1);
    ssize_t size = pread(caught->file, text, 255, 0);
    close(caught->file);
    close(caught->before);
    unlink(caught->path);
    assert_true(size > 0);
    text[size] = '\0';
    return (size_t)size;
}

static void print_writes_lines_as_kafka_streams_does(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_print(pipeline_in(&p), "in");
    mill_stream_print(pipeline_in(&p), NULL);
    pipeline_start(&p);
    struct caught_output output = catch_output();
    pipeline_pipe(&p, "in", "k", "v", 1);
    pipeline_pipe(&p, "in", NULL, NULL, 2);
    char text[256];
    end_output(&output, text);
    assert_string_equal(text, "[in]: k, v\n[KSTREAM-SOURCE-0000000000]: k, v\n"
                              "[in]: null, null\n[KSTREAM-SOURCE-0000000000]: null, null\n");
    pipeline_end(&p);
}

static void print_writes_bytes_as_they_are(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_stream_print(pipeline_in(&p), "in");
    pipeline_start(&p);
    struct caught_output output = catch_output();
    mill_record record = { .key = mill_bytes_of("\0\1", 2), .value = mill_bytes_of("a\0b", 3), .timestamp_ms = 1 };
    int code = mill_test_driver_pipe(p.driver, "in", &record);
    char text[256];
    size_t size = end_output(&output, text);
    pipeline_ok(&p, code);
    static const char LINE[] = "[in]: \0\1, a\0b\n";
    assert_int_equal(size, sizeof LINE - 1);
    assert_memory_equal(text, LINE, size);
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_key_processor_keeps_the_key),
        cmocka_unit_test(a_processor_may_change_the_key),
        cmocka_unit_test(a_fixed_key_processor_cannot_forward_from_a_punctuator),
        cmocka_unit_test(headers_are_read_added_and_removed),
        cmocka_unit_test(processors_share_a_store_that_both_bring),
        cmocka_unit_test(low_level_processors_bring_stores_too),
        cmocka_unit_test(a_store_of_a_processor_that_is_refused_is_freed),
        cmocka_unit_test(a_commit_fails_with_what_it_forwards_whatever_an_operator_above_makes_of_it),
        cmocka_unit_test(what_a_commit_forwards_has_the_memory_of_a_record_each),
        cmocka_unit_test(each_record_goes_to_the_topic_that_is_chosen_for_it),
        cmocka_unit_test(several_topics_need_a_choice),
        cmocka_unit_test(a_sink_of_several_topics_describes_them),
        cmocka_unit_test(a_multicast_sink_writes_to_every_partition_that_is_named),
        cmocka_unit_test(print_writes_lines_as_kafka_streams_does),
        cmocka_unit_test(print_writes_bytes_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
