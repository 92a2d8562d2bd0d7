/* The store of an operator: found when it opens, or the reason why it is not. */
#ifndef NODE_STORE_H
#define NODE_STORE_H

#include "millstream/processor.h"
#include "millstream/stores.h"

/* The store of that name into `*store`. MILL_ENOTFOUND with an error set, and NULL: the node is not connected to it. `init`. */
MILL_MUST_USE static inline int node_store_open(mill_context *context, const char *name, mill_store **store)
{
    *store = mill_context_store(context, name);
    if (*store != NULL)
        return 0;
    return mill_context_error(context, MILL_ENOTFOUND, "%s: its store %s is not in the task", mill_context_node_name(context),
                              name);
}

#endif
