/* The text files beside the logs: meta.properties, partition.metadata, offset checkpoints, UUIDs. */
#include <string.h>

#include "base/alloc.h"
#include "log/meta_properties.h"
#include "log/offset_checkpoint.h"
#include "log/partition_metadata.h"
#include "simulation/sim_disk.h"
#include "support/cmocka_all.h"

static struct sim_disk *sim;
static struct disk *disk;
static struct error_text error;

static int set_up(void **state)
{
    sim = sim_disk_new(1);
    disk = sim_disk_disk(sim);
    assert_int_equal(disk_make_directories(disk, "/d"), 0);
    return 0;
}

static int tear_down(void **state)
{
    sim_disk_free(sim);
    return 0;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(disk_replace_file(disk, path, text, strlen(text)), 0);
}

static void expect(const char *path, const char *text)
{
    char *data;
    size_t len;
    assert_int_equal(disk_read_file(disk, path, 10000, &data, &len), 0);
    assert_string_equal(data, text);
    mem_free(data);
}

static void a_uuid_is_22_characters_of_url_safe_base64(void **state)
{
    uint8_t uuid[UUID_BYTES] = { 0xfb, 0xff, 0xbf, 0, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41 };
    char text[UUID_TEXT_CHARS + 1];
    uuid_text_write(uuid, text);
    assert_string_equal(text, "-_-_ABCDEFGHIJKLMNOPQQ");
    uint8_t again[UUID_BYTES];
    assert_true(uuid_text_parse(mill_string(text), again));
    assert_memory_equal(again, uuid, UUID_BYTES);
    assert_false(uuid_text_parse(mill_string("-_-_ABCDEFGHIJKLMNOPQR"), again)); /* bits beyond the 128 */
    assert_false(uuid_text_parse(mill_string("-_-_ABCDEFGHIJKLMNOPQ"), again));
    assert_false(uuid_text_parse(mill_string("-_-_ABCDEFGHIJKLMNOP=="), again));
}

static void partition_metadata_is_kafkas(void **state)
{
    uint8_t id[UUID_BYTES] = { 0, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14, 0x93, 0x51 };
    assert_int_equal(partition_metadata_write(disk, "/d", id), 0);
    expect("/d/partition.metadata", "version: 0\ntopic_id: ABCDEFGHIJKLMNOPQRSTUQ\n");
    uint8_t again[UUID_BYTES];
    assert_int_equal(partition_metadata_read(disk, "/d", again), 0);
    assert_memory_equal(again, id, UUID_BYTES);
    put("/d/partition.metadata", "");
    assert_int_equal(partition_metadata_read(disk, "/d", again), MILL_ENOTFOUND);
    put("/d/partition.metadata", "version: 1\ntopic_id: ABCDEFGHIJKLMNOPQRSTUQ\n");
    assert_int_equal(partition_metadata_read(disk, "/d", again), MILL_EUNSUPPORTED);
    put("/d/partition.metadata", "version: 0\ntopic_id: ABCDEFG\n");
    assert_int_equal(partition_metadata_read(disk, "/d", again), MILL_ECORRUPT);
}

static void meta_properties_are_kafkas(void **state)
{
    struct meta_properties properties = { .cluster_id = "5L6g3nShT-eMCtK--X86sw", .node_id = 3 };
    assert_int_equal(meta_properties_write(disk, "/d", &properties), 0);
    expect("/d/meta.properties",
           "version=1\ncluster.id=5L6g3nShT-eMCtK--X86sw\nnode.id=3\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAA\n");
    put("/d/meta.properties", "#\n#Mon Nov 23 06:21:00 UTC 2026\ncluster.id=x\r\n\nnode.id=0\nversion=1\nfuture=thing\n");
    struct meta_properties again;
    assert_int_equal(meta_properties_read(disk, "/d", &again, &error), 0);
    assert_string_equal(again.cluster_id, "x");
    assert_int_equal(again.node_id, 0);
}

static void meta_properties_that_are_not_whole_are_refused(void **state)
{
    struct meta_properties again;
    assert_int_equal(meta_properties_read(disk, "/d", &again, &error), MILL_ENOTFOUND);
    put("/d/meta.properties", "version=1\ncluster.id=x\n");
    assert_int_equal(meta_properties_read(disk, "/d", &again, &error), MILL_ECORRUPT);
    put("/d/meta.properties", "version=1\ncluster.id=x\nnode.id=-4\n");
    assert_int_equal(meta_properties_read(disk, "/d", &again, &error), MILL_ECORRUPT);
    put("/d/meta.properties", "version=0\nbroker.id=1\n");
    assert_int_equal(meta_properties_read(disk, "/d", &again, &error), MILL_EUNSUPPORTED);
    put("/d/meta.properties",
        "version=1\nnode.id=1\ncluster.id=0123456789012345678901234567890123456789012345678901234567890123\n");
    assert_int_equal(meta_properties_read(disk, "/d", &again, &error), MILL_ECORRUPT);
}

static void offset_checkpoints_are_kafkas(void **state)
{
    struct offset_checkpoint checkpoint;
    offset_checkpoint_init(&checkpoint);
    assert_int_equal(offset_checkpoint_put(&checkpoint, mill_string("access-log-0"), 17), 0);
    assert_int_equal(offset_checkpoint_put(&checkpoint, mill_string("b-12"), INT64_MAX), 0);
    assert_int_equal(offset_checkpoint_put(&checkpoint, mill_string("access-log-0"), 18), 0);
    struct buffer text;
    buffer_init(&text, 1000);
    offset_checkpoint_encode(&checkpoint, &text);
    const char expected[] = "0\n2\naccess-log 0 18\nb 12 9223372036854775807\n";
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);

    struct offset_checkpoint again;
    offset_checkpoint_init(&again);
    assert_int_equal(offset_checkpoint_decode(&again, buffer_bytes(&text)), 0);
    assert_int_equal(offset_checkpoint_get(&again, mill_string("access-log-0"), -1), 18);
    assert_int_equal(offset_checkpoint_get(&again, mill_string("access-log-1"), -1), -1);
    offset_checkpoint_remove(&again, mill_string("access-log-0"));
    assert_int_equal(offset_checkpoint_get(&again, mill_string("access-log-0"), -1), -1);
    offset_checkpoint_release(&again);
    offset_checkpoint_release(&checkpoint);
    buffer_release(&text);
}

static void offset_checkpoints_that_are_not_whole_are_empty(void **state)
{
    static const char *const bad[] = { "",
                                       "0\n1\n",
                                       "0\n1\na 0\n",
                                       "0\n1\na x 5\n",
                                       "0\n0\na 0 5\n",
                                       "0\n1\na 0 -5\n",
                                       "2\n0\n",
                                       "0\n1\na 0 99999999999999999999\n" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct offset_checkpoint checkpoint;
        offset_checkpoint_init(&checkpoint);
        assert_int_equal(offset_checkpoint_decode(&checkpoint, mill_string(bad[i])), MILL_ECORRUPT);
        assert_int_equal(offset_checkpoint_get(&checkpoint, mill_string("a-0"), -1), -1);
        offset_checkpoint_release(&checkpoint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_is_22_characters_of_url_safe_base64),
        cmocka_unit_test_setup_teardown(partition_metadata_is_kafkas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(meta_properties_are_kafkas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(meta_properties_that_are_not_whole_are_refused, set_up, tear_down),
        cmocka_unit_test(offset_checkpoints_are_kafkas),
        cmocka_unit_test(offset_checkpoints_that_are_not_whole_are_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
