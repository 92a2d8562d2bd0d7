#include "worker/global_reader.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/queue.h"

enum {
    MESSAGES_MAX = 64,             /* times what one turn of the global thread reads: a few MiB */
    MESSAGE_BYTES_MAX = 256 << 20, /* a turn ends at its limit of records or of bytes, but one record may be large */
};

enum reader_state { READER_FILLING, READER_READY, READER_ATTACHED, READER_RETIRED };

struct global_reader {
    const mill_topology *topology;
    mill_store_view **views; /* by topology->globals.stores */
    size_t view_count;
    struct queue *messages;
    struct global_message *message; /* taken and not applied in full: what failed then is done by the next step */
    size_t applied;                 /* of it, in steps: two a view */

    pthread_mutex_t mutex;
    enum reader_state state;  /* under it, as is the next */
    struct loop_wakeup *news; /* of the stream thread, while attached */
    struct loop_wakeup *room;
};

/* ---- messages -------------------------------------------------------------------------------------------------------------- */

struct global_message *global_message_new(size_t store_count)
{
    struct global_message *message = mem_calloc(1, sizeof *message);
    if (message == NULL)
        return NULL;
    atomic_init(&message->holders, 1);
    arena_init(&message->memory, 16 << 10, MESSAGE_BYTES_MAX);
    message->store_count = store_count;
    message->stores = arena_calloc(&message->memory, store_count, sizeof *message->stores);
    if (message->stores != NULL)
        return message;
    global_message_drop(message);
    return NULL;
}

void global_message_drop(struct global_message *message)
{
    if (message == NULL || atomic_fetch_sub(&message->holders, 1) > 1)
        return;
    arena_release(&message->memory);
    mem_free(message);
}

static int grow(struct global_message *message, struct global_updates *updates)
{
    size_t capacity = updates->capacity == 0 ? 64 : updates->capacity * 2;
    mill_record *moved = arena_alloc(&message->memory, capacity * sizeof *moved);
    if (moved == NULL)
        return MILL_ENOMEM;
    if (updates->count > 0)
        memcpy(moved, updates->at, updates->count * sizeof *moved);
    updates->at = moved;
    updates->capacity = capacity;
    return 0;
}

int global_message_add(struct global_message *message, size_t store, const mill_record *update)
{
    struct global_updates *updates = &message->stores[store];
    if (updates->count == updates->capacity && grow(message, updates) < 0)
        return MILL_ENOMEM;
    mill_record *copy = &updates->at[updates->count];
    *copy = (mill_record){ .key = arena_dup(&message->memory, update->key),
                           .value = arena_dup(&message->memory, update->value),
                           .timestamp_ms = update->timestamp_ms };
    if (mill_is_null(copy->key) || mill_is_null(copy->value) != mill_is_null(update->value))
        return MILL_ENOMEM;
    updates->count++;
    return 0;
}

/* ---- the global thread's side ---------------------------------------------------------------------------------------------- */

struct global_reader *global_reader_new(const mill_topology *topology)
{
    struct global_reader *reader = mem_calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->topology = topology;
    reader->view_count = topology->globals.stores.count;
    reader->views = mem_calloc(reader->view_count, sizeof(mill_store_view *));
    reader->messages = queue_new("global updates", MESSAGES_MAX);
    pthread_mutex_init(&reader->mutex, NULL);
    if (reader->views && reader->messages)
        return reader;
    global_reader_free(reader);
    return NULL;
}

static void drop_messages(struct global_reader *reader)
{
    void *message;
    while (queue_receive(reader->messages, &message, 1) > 0)
        global_message_drop(message);
}

static void close_views(struct global_reader *reader)
{
    for (size_t i = 0; i < reader->view_count; i++) {
        if (reader->views[i] != NULL)
            reader->views[i]->ops->close(reader->views[i]);
        reader->views[i] = NULL;
    }
}

void global_reader_free(struct global_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->messages != NULL)
        drop_messages(reader);
    global_message_drop(reader->message);
    queue_free(reader->messages);
    pthread_mutex_destroy(&reader->mutex);
    mem_free(reader->views);
    mem_free(reader);
}

mill_store_view **global_reader_view(struct global_reader *reader, size_t store)
{
    return &reader->views[store];
}

void global_reader_hand_over(struct global_reader *reader, struct loop_wakeup *room)
{
    pthread_mutex_lock(&reader->mutex);
    reader->room = room;
    reader->state = READER_READY;
    pthread_mutex_unlock(&reader->mutex);
}

bool global_reader_reserve(struct global_reader *reader)
{
    return queue_reserve(reader->messages);
}

void global_reader_unreserve(struct global_reader *reader)
{
    queue_unreserve(reader->messages);
}

void global_reader_send(struct global_reader *reader, struct global_message *message)
{
    atomic_fetch_add(&message->holders, 1);
    if (!queue_send(reader->messages, message))
        return;
    pthread_mutex_lock(&reader->mutex);
    if (reader->state == READER_ATTACHED)
        loop_wakeup_signal(reader->news);
    pthread_mutex_unlock(&reader->mutex);
}

bool global_reader_retire(struct global_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    enum reader_state before = reader->state;
    if (before != READER_ATTACHED)
        reader->state = READER_RETIRED;
    pthread_mutex_unlock(&reader->mutex);
    if (before == READER_FILLING || before == READER_READY)
        close_views(reader);
    return before != READER_ATTACHED;
}

/* ---- the stream thread's side ---------------------------------------------------------------------------------------------- */

int global_reader_attach(struct global_reader *reader, struct loop *loop, struct loop_wakeup *news)
{
    int code = loop_wakeup_open(loop, news);
    if (code < 0)
        return code;
    pthread_mutex_lock(&reader->mutex);
    bool ready = reader->state == READER_READY;
    if (ready) {
        reader->state = READER_ATTACHED;
        reader->news = news;
    }
    pthread_mutex_unlock(&reader->mutex);
    if (ready)
        return 0;
    loop_wakeup_close(news);
    return MILL_ECLOSED;
}

/* From where it failed before, if it did. */
static int apply(struct global_reader *reader, struct error_text *error)
{
    const struct global_message *message = reader->message;
    for (; reader->applied < 2 * reader->view_count; reader->applied++) {
        size_t i = reader->applied / 2;
        mill_store_view *view = reader->views[i];
        int code = 0;
        if (reader->applied % 2 == 0)
            code = view->ops->apply(view, message->stores[i].at, message->stores[i].count);
        else if (message->flushed > 0)
            code = view->ops->flushed(view, message->flushed);
        if (code < 0)
            return error_set(error, code, "global %s", view->ops->error(view));
    }
    global_message_drop(reader->message);
    reader->message = NULL;
    reader->applied = 0;
    return 0;
}

static bool has_message(struct global_reader *reader)
{
    void *received;
    if (reader->message == NULL && queue_receive(reader->messages, &received, 1) > 0)
        reader->message = received;
    return reader->message != NULL;
}

int global_reader_step(struct global_reader *reader, struct error_text *error)
{
    int code = 0;
    bool some = false;
    while (code == 0 && has_message(reader)) {
        some = true;
        code = apply(reader, error);
    }
    for (size_t i = 0; i < reader->view_count; i++)
        reader->views[i]->ops->trim(reader->views[i]);
    if (some)
        loop_wakeup_signal(reader->room);
    return code;
}

mill_store *global_reader_store(struct global_reader *reader, const char *name)
{
    const struct topology_stores *stores = &reader->topology->globals.stores;
    for (size_t i = 0; i < stores->count; i++)
        if (strcmp(stores->at[i]->name, name) == 0)
            return reader->views[i]->store;
    return NULL;
}

void global_reader_detach(struct global_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    bool attached = reader->state == READER_ATTACHED;
    struct loop_wakeup *news = reader->news;
    reader->news = NULL;
    if (attached)
        reader->state = READER_READY;
    pthread_mutex_unlock(&reader->mutex);
    if (!attached)
        return;
    loop_wakeup_close(news);
    loop_wakeup_signal(reader->room); /* who retires the readers waits for it */
}
