/*
 * The low-level face: processors. Every operator of the library is written with nothing else.
 *
 * A processor type is a static table of functions; a task makes one instance of it per node, zeroed `self_bytes` of its own
 * memory, and calls it from one thread only. Records are pushed depth-first: mill_forward returns when every node below has
 * seen the record. A negative return of `process` ends the record (see the application's processing handler).
 *
 * Thread: the stream thread that owns the task; a context is never used elsewhere or after `close`.
 */
#ifndef MILLSTREAM_PROCESSOR_H
#define MILLSTREAM_PROCESSOR_H

#include "millstream/error.h"
#include "millstream/record.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_context mill_context; /* a node's place in its task */
typedef struct mill_store mill_store;     /* store.h */

typedef struct mill_processor_type {
    const char *name;  /* what it is, for traces: "windowed-count" */
    size_t self_bytes; /* memory of an instance, zeroed, aligned for any type; freed by the task after `close` */

    /*
     * Once before the first record: `argument` is the supplier's. May fail with an error set by mill_context_error. May be NULL.
     */
    int (*init)(mill_context *context, void *self, const void *argument);

    /* One record. May forward any number of records, before it returns. May not be NULL. */
    int (*process)(mill_context *context, void *self, const mill_record *record);

    /* A hint: these records come next, in this order. May only prefetch; may be NULL. Not called for every record. */
    void (*prepare)(mill_context *context, void *self, const mill_record *const *records, size_t count);
    bool passes_on; /* with `prepare`: records go on as they came, and the children are prepared for them, too */

    /* Last call; stores are closed later. Also after a failed init. May be NULL. */
    void (*close)(mill_context *context, void *self);
} mill_processor_type;

/*
 * What a node is made from. Copied into the topology; `argument` stays valid as long as the topology, which calls
 * `free_argument`.
 */
typedef struct mill_processor_supplier {
    const mill_processor_type *type;
    const void *argument;
    void (*free_argument)(void *argument); /* NULL: nothing to free */

    /*
     * Stores that come with the processor (Kafka Streams' ConnectedStoreProvider): added and connected with the node, taken over
     * in every case. Suppliers that give the same builder share its store.
     */
    struct mill_store_builder *const *stores;
    size_t store_count;

    /*
     * The key stays: forwarding a record under another key than that of the record at hand, or any from a punctuator, is an error
     * (MILL_EINVALID). So what is below needs no repartition topic.
     */
    bool fixed_key;
} mill_processor_supplier;

/* ---- forwarding ------------------------------------------------------------------------------------------------------------ */

/* To every child in the order of connection. The record and what it points to are only read. 0 or the first child's error. */
MILL_API MILL_MUST_USE int mill_forward(mill_context *context, const mill_record *record);

/* To the child of that name (MILL_ENOTFOUND: no such child) or number, 0 being the first connected. */
MILL_API MILL_MUST_USE int mill_forward_to(mill_context *context, const char *child, const mill_record *record);
MILL_API MILL_MUST_USE int mill_forward_to_index(mill_context *context, size_t child, const mill_record *record);

MILL_API size_t mill_context_child_count(const mill_context *context);
/* NULL: no such child. Lives as long as the topology. */
MILL_API const char *mill_context_child_name(const mill_context *context, size_t child);

/* ---- headers --------------------------------------------------------------------------------------------------------------- */

/* The last header of that key, as Kafka's lastHeader; NULL: none. Its value may be null. */
MILL_API const mill_header *mill_record_header(const mill_record *record, const char *key);

/*
 * Change a record that is about to be forwarded, not the one that came: `record` gets a new array of headers, which lives as
 * mill_context_alloc's memory. Keys and values are borrowed. 0 or MILL_ENOMEM, which changes nothing.
 */
MILL_API MILL_MUST_USE int mill_record_add_header(mill_context *context, mill_record *record, const char *key, mill_bytes value);
/* Removes all of that key. */
MILL_API MILL_MUST_USE int mill_record_remove_headers(mill_context *context, mill_record *record, const char *key);

/* ---- what surrounds the record --------------------------------------------------------------------------------------------- */

typedef struct mill_record_metadata {
    const char *topic; /* NULL in a punctuator or a flush at commit, with partition and offset -1 */
    int32_t partition;
    int64_t offset;
} mill_record_metadata;

/* Of the source record being processed. The topic name lives as long as the task. */
MILL_API mill_record_metadata mill_context_metadata(const mill_context *context);

MILL_API int64_t mill_context_stream_time_ms(const mill_context *context); /* the task's; -1 before its first record */
MILL_API int64_t mill_context_wall_time_ms(const mill_context *context);
MILL_API const char *mill_context_application_id(const mill_context *context);
MILL_API const char *mill_context_task_id(const mill_context *context); /* "0_3" */
MILL_API int32_t mill_context_partition(const mill_context *context);   /* the task's partition number */
MILL_API const char *mill_context_node_name(const mill_context *context);

/* A property of the application, for operators with settings ("mill.compat"); NULL: not set. Lives as long as the task. */
MILL_API const char *mill_context_property(const mill_context *context, const char *name);

/*
 * `size` bytes, aligned, that live until the source record (or punctuation, or entry of a cache) is done. NULL: no memory. Costs
 * a bump of a pointer.
 */
MILL_API void *mill_context_alloc(mill_context *context, size_t size);

/*
 * For a processor that forwards very many records in one call: gives back what was allocated since the mark, by itself or by what
 * it forwarded to, in the order of a stack. A mark is valid in the call that took it.
 */
typedef struct mill_memory_mark {
    void *places[5];
    size_t bytes;
} mill_memory_mark;
MILL_API mill_memory_mark mill_context_mark(const mill_context *context);
MILL_API void mill_context_rewind(mill_context *context, mill_memory_mark mark);

/* Counts a record skipped, under a short static reason ("late", "null-key"), shown by the application and its metrics. */
MILL_API void mill_context_drop(mill_context *context, const char *reason);

/*
 * A number from 0 that goes with the task's committed positions, in their metadata as Kafka Streams keeps its processors', and so
 * is there again after a restart, wherever the task then runs. Names are unique in the task: use that of your store. A task
 * keeps 64, two of them for each windowed operator; more, or more than the 4 KiB of an offset's metadata hold, are not kept over
 * a restart. 0 or MILL_ENOMEM.
 */
MILL_API MILL_MUST_USE int mill_context_remember(mill_context *context, const char *name, int64_t number);
/*
 * The same for a number that each record may move, such as a time: `*number` becomes what was remembered, if anything was, and
 * what it is at each commit is remembered; negative is nothing. Its names are apart from those above. In `init`, which runs again
 * after an aborted transaction; it is read until the processor is closed. 0 or MILL_ENOMEM.
 */
MILL_API MILL_MUST_USE int mill_context_keep(mill_context *context, const char *name, int64_t *number);
/* False, and `*number` is left alone: nothing of that name. */
MILL_API bool mill_context_remembered(const mill_context *context, const char *name, int64_t *number);

/*
 * For how long the task is known to have read all that its inputs have: their brokers have said so lately and all along. 0: there
 * is more to read, or a broker has not been heard of, as after an outage, whose records are yet to come. The clock does not run
 * while the machine sleeps. For punctuators that take silence for an end; it is known while it is asked for every few seconds.
 */
MILL_API int64_t mill_context_idle_ms(mill_context *context);

/* Asks for a commit soon after this record. */
MILL_API void mill_context_request_commit(mill_context *context);

/* Sets the text of an error that this callback is about to return; returns `code`. */
MILL_API int mill_context_error(mill_context *context, int code, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* ---- stores ---------------------------------------------------------------------------------------------------------------- */

/* A store connected to this node in the topology, in `init` or later; NULL: none of that name. Lives until after `close`. */
MILL_API mill_store *mill_context_store(mill_context *context, const char *name);

/* ---- punctuation ----------------------------------------------------------------------------------------------------------- */

typedef enum mill_punctuation {
    MILL_PUNCTUATE_STREAM_TIME, /* first right after the first record, then on a grid from 0; missed slots fire once */
    MILL_PUNCTUATE_WALL_CLOCK   /* first at now + interval, then on that grid; missed slots fire once */
} mill_punctuation;

typedef struct mill_punctuator mill_punctuator;

/*
 * Calls `punctuate` every `interval_ms` (at least 1) until cancelled or the task closes. In it, forwarded records have no topic,
 * partition or offset. NULL: no memory, or the interval is below 1.
 */
MILL_API mill_punctuator *mill_context_schedule(mill_context *context, int64_t interval_ms, mill_punctuation type,
                                                int (*punctuate)(mill_context *context, void *self, int64_t timestamp_ms));

/* Also inside its own callback. The handle is gone. */
MILL_API void mill_punctuator_cancel(mill_punctuator *punctuator);

#ifdef __cplusplus
}
#endif
#endif
