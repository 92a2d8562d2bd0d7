/* Records of `__consumer_offsets` become groups and offsets. */
#include "broker/group/offsets_loader.h"

#include "broker/internal.h"

static int decode_commit(struct arena *arena, mill_bytes value, struct offset_commit_value *commit)
{
    struct byte_reader reader = byte_reader_of(value);
    int version = byte_reader_u16(&reader);
    return reader.failed ? MILL_ETRUNCATED
                         : wire_decode(&offset_commit_value_message, version, &reader, NULL, arena, commit, NULL);
}

static int load_offset(struct coordinator *coordinator, const struct batch_header *header, struct byte_reader *key_reader,
                       mill_bytes value, struct arena *arena, struct io_time now)
{
    struct offset_commit_key key;
    struct offset_commit_value commit;
    int code = wire_decode(&offset_commit_key_message, 0, key_reader, NULL, arena, &key, NULL);
    if (code != 0)
        return code;
    struct classic_group *group = coordinator_group(coordinator, key.group);
    if (mill_is_null(value)) {
        if (group) {
            group_offsets_remove(&group->offsets, key.topic, key.partition);
            txn_offsets_supersede(&coordinator->txns, group, key.topic, key.partition);
        }
        return 0;
    }
    code = decode_commit(arena, value, &commit);
    if (code != 0)
        return code;
    group = coordinator_make_group(coordinator, key.group, now);
    if (!group)
        return MILL_ENOMEM;
    struct committed_offset committed = { .partition = key.partition,
                                          .leader_epoch = commit.leader_epoch,
                                          .offset = commit.offset,
                                          .commit_ms = commit.commit_timestamp,
                                          .metadata = commit.metadata };
    if (batch_is_transactional(header))
        return txn_offsets_put(&coordinator->txns, group, header->producer_id, key.topic, &committed);
    return txn_offsets_put_plain(&coordinator->txns, group, key.topic, &committed);
}

static int load_group(struct coordinator *coordinator, struct byte_reader *key_reader, mill_bytes value, struct arena *arena,
                      struct io_time now)
{
    struct group_metadata_key key;
    struct group_metadata_value stored;
    int code = wire_decode(&group_metadata_key_message, 0, key_reader, NULL, arena, &key, NULL);
    if (code != 0)
        return code;
    if (mill_is_null(value)) {
        group_metadata_value_init(&stored);
        struct classic_group *group = coordinator_group(coordinator, key.group);
        return group ? classic_group_restore(group, &stored, now) : 0;
    }
    struct byte_reader reader = byte_reader_of(value);
    int version = byte_reader_u16(&reader);
    code = reader.failed ? MILL_ETRUNCATED
                         : wire_decode(&group_metadata_value_message, version, &reader, NULL, arena, &stored, NULL);
    if (code != 0)
        return code;
    struct classic_group *group = coordinator_make_group(coordinator, key.group, now);
    return group ? classic_group_restore(group, &stored, now) : MILL_ENOMEM;
}

static int load_record(void *ctx, int32_t partition, const struct batch_header *header, const struct batch_record *record,
                       struct arena *arena, struct io_time now)
{
    struct coordinator *coordinator = ctx;
    struct byte_reader key = byte_reader_of(record->record.key);
    uint16_t type = byte_reader_u16(&key);
    if (key.failed)
        return MILL_ECORRUPT;
    if (type == GROUP_RECORD_OFFSET || type == GROUP_RECORD_OFFSET_LEGACY)
        return load_offset(coordinator, header, &key, record->record.value, arena, now);
    if (type == GROUP_RECORD_GROUP)
        return load_group(coordinator, &key, record->record.value, arena, now);
    return 0; /* other types belong to kinds of groups that are not served here */
}

static void load_marker(void *ctx, int32_t partition, const struct control_marker *marker, struct io_time now)
{
    struct coordinator *coordinator = ctx;
    txn_offsets_end(&coordinator->txns, partition, marker->producer_id, marker->type == CONTROL_COMMIT, now);
}

static void partition_is_loaded(void *ctx, int32_t partition, struct io_time now)
{
    struct coordinator *coordinator = ctx;
    size_t at = 0;
    for (struct classic_group *group; (group = coordinator_next_group(coordinator, &at)) != NULL;)
        if (group->partition == partition) {
            classic_group_resume(group, now);
            coordinator_let_go_if_idle(coordinator, group);
        }
}

int offsets_loader_start(struct coordinator *coordinator, struct io_time now)
{
    struct topic_reader reader = {
        .record = load_record, .marker = load_marker, .loaded = partition_is_loaded, .ctx = coordinator
    };
    return topic_loader_start(coordinator->broker, OFFSETS_TOPIC, &reader, &coordinator->loader, now);
}
