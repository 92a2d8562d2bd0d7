#include "wire/api_table.h"

#include "wire/api/add_offsets_to_txn.h"
#include "wire/api/add_partitions_to_txn.h"
#include "wire/api/api_versions.h"
#include "wire/api/create_partitions.h"
#include "wire/api/create_topics.h"
#include "wire/api/delete_groups.h"
#include "wire/api/delete_records.h"
#include "wire/api/delete_topics.h"
#include "wire/api/describe_cluster.h"
#include "wire/api/describe_configs.h"
#include "wire/api/describe_groups.h"
#include "wire/api/describe_producers.h"
#include "wire/api/describe_topic_partitions.h"
#include "wire/api/describe_transactions.h"
#include "wire/api/end_txn.h"
#include "wire/api/fetch.h"
#include "wire/api/find_coordinator.h"
#include "wire/api/heartbeat.h"
#include "wire/api/incremental_alter_configs.h"
#include "wire/api/init_producer_id.h"
#include "wire/api/join_group.h"
#include "wire/api/leave_group.h"
#include "wire/api/list_groups.h"
#include "wire/api/list_offsets.h"
#include "wire/api/list_transactions.h"
#include "wire/api/metadata.h"
#include "wire/api/offset_commit.h"
#include "wire/api/offset_fetch.h"
#include "wire/api/offset_for_leader_epoch.h"
#include "wire/api/produce.h"
#include "wire/api/sasl_handshake.h"
#include "wire/api/sync_group.h"
#include "wire/api/txn_offset_commit.h"
#include "wire/api/write_txn_markers.h"

const struct api api_table[] = {
#define API_ROW(key, NAME, name, Name, advertised) { key, advertised, #Name, &name##_request_message, &name##_response_message },
    WIRE_APIS(API_ROW)
#undef API_ROW
};

const int api_table_count = (int)(sizeof api_table / sizeof *api_table);

const struct api *api_find(int16_t key)
{
    for (int i = 0; i < api_table_count; i++)
        if (api_table[i].key == key)
            return &api_table[i];
    return NULL;
}
