/*
 * The global stores as one stream thread reads them: a view of each, kept up by messages from the thread that writes them.
 *
 *      global thread                         stream thread
 *      global_reader_hand_over               global_reader_attach
 *      global_reader_send  ---- queue --->   global_reader_step (each turn)
 *                          <--- wakeup ---   room again
 *      global_reader_retire                  global_reader_detach
 *
 * Between detaching and retiring the views stay as they are, and messages wait: a thread that takes the place of one that failed
 * attaches and goes on where that one was.
 *
 * A message is what one turn of the global thread did to the stores; all readers share it. It is sent only when every reader has
 * room, so a thread that does not keep up holds the writer back and nothing piles up.
 */
#ifndef WORKER_GLOBAL_READER_H
#define WORKER_GLOBAL_READER_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/error.h"
#include "io/io.h"
#include "millstream/store.h"
#include "topology/topology.h"

struct global_reader;

/* ---- messages -------------------------------------------------------------------------------------------------------------- */

/* What one store had in a turn. */
struct global_updates {
    mill_record *at;
    size_t count;
    size_t capacity;
};

struct global_message {
    atomic_size_t holders;
    struct arena memory;
    struct global_updates *stores; /* by the topology's global stores */
    size_t store_count;
    uint64_t flushed; /* so many messages are on the disk by now; 0: no news */
};

/* One holder. NULL: no memory. */
struct global_message *global_message_new(size_t store_count);
void global_message_drop(struct global_message *message); /* any thread; NULL is a no-op */
/* Copies the update. 0 or MILL_ENOMEM. */
MILL_MUST_USE int global_message_add(struct global_message *message, size_t store, const mill_record *update);

/* ---- the global thread's side ---------------------------------------------------------------------------------------------- */

/* `topology` is built and outlives it. NULL: no memory. */
struct global_reader *global_reader_new(const mill_topology *topology);
/* After global_reader_retire, or when there never was a view. */
void global_reader_free(struct global_reader *reader);

/* The view of the i-th global store, NULL until set; the global thread's until global_reader_hand_over. */
mill_store_view **global_reader_view(struct global_reader *reader, size_t store);
/* `room`, open on the global thread's loop, outlives the reader. */
void global_reader_hand_over(struct global_reader *reader, struct loop_wakeup *room);

bool global_reader_reserve(struct global_reader *reader); /* room for one message */
void global_reader_unreserve(struct global_reader *reader);
/* Into the reserved room; takes a holder of the message. */
void global_reader_send(struct global_reader *reader, struct global_message *message);

/* Nobody attaches from here on. True when the views are closed; else a stream thread is attached: ask again at `room`. */
bool global_reader_retire(struct global_reader *reader);

/* ---- the stream thread's side ---------------------------------------------------------------------------------------------- */

/* After the hand-over. `news->woken` is set, on that loop. 0, MILL_ECLOSED: it is too late, or the loop's error. */
MILL_MUST_USE int global_reader_attach(struct global_reader *reader, struct loop *loop, struct loop_wakeup *news);
/* Applies what has come. Bytes that the stores gave out end. 0, or an error with text: the next step tries again. */
MILL_MUST_USE int global_reader_step(struct global_reader *reader, struct error_text *error);
mill_store *global_reader_store(struct global_reader *reader, const char *name); /* NULL: none of that name */
void global_reader_detach(struct global_reader *reader);                         /* harmless when not attached */

#endif
