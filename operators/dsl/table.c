/* The calls of table.h. */
#include "dsl/dsl.h"

#include "table/table.h"

mill_stream *mill_table_to_stream(mill_table *table)
{
    if (table == NULL)
        return NULL;
    struct dsl *dsl = table->dsl;
    struct dsl_node *node =
        dsl_processor(dsl, dsl_next_name(dsl, "KTABLE-TOSTREAM-"), &to_stream_type, &to_stream_type, table->node);
    return dsl_stream(dsl, node, false, table->key_form);
}

void mill_table_to(mill_table *table, const char *topic)
{
    mill_stream_to(mill_table_to_stream(table), topic);
}

const char *mill_table_store_name(const mill_table *table)
{
    return table == NULL ? NULL : table->store_name;
}
