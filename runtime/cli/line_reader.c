#include "cli/line_reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "millstream/error.h"

enum { POLL_MS = 100 };

/* Bytes read, 0 at the end, or an error. Looks up now and then, so that a silent terminal does not hold up the end. */
static ssize_t read_standard_input(struct line_reader *reader, uint8_t *into, size_t room)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    while (!atomic_load(&reader->stopped)) {
        int ready = poll(&input, 1, POLL_MS);
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        ssize_t count = read(STDIN_FILENO, into, room);
        if (count >= 0 || (errno != EINTR && errno != EAGAIN))
            return count >= 0 ? count : error_from_errno(errno);
    }
    return 0;
}

static void read_chunk(struct work_item *item)
{
    struct line_reader *reader = item->ctx;
    uint8_t *into = reader->data + reader->len;
    size_t room = LINE_READER_BYTES - reader->len;
    ssize_t count =
        reader->file ? disk_read(reader->file, into, room, reader->position) : read_standard_input(reader, into, room);
    if (count < 0)
        reader->code = (int)count;
    else if (count == 0)
        reader->at_end = true;
    else
        reader->len += (size_t)count;
    reader->position += count > 0 ? count : 0;
}

static void chunk_read(struct work_item *item, struct io_time now)
{
    struct line_reader *reader = item->ctx;
    reader->idle = true;
    if (!atomic_load(&reader->stopped))
        reader->ready(reader->ctx, now);
}

static void start_reading(struct line_reader *reader)
{
    memmove(reader->data, reader->data + reader->start, reader->len - reader->start);
    reader->len -= reader->start;
    reader->start = 0;
    reader->idle = false;
    loop_work_submit(reader->loop, WORK_READ, &reader->item);
}

int line_reader_open(struct line_reader *reader, struct loop *loop, const char *path,
                     void (*ready)(void *ctx, struct io_time now), void *ctx)
{
    *reader = (struct line_reader){ .loop = loop, .idle = true, .ready = ready, .ctx = ctx };
    reader->item = (struct work_item){ .run = read_chunk, .done = chunk_read, .ctx = reader };
    if (path != NULL && strcmp(path, "-") != 0) {
        int code = disk_open(uv_disk(), path, DISK_READ, &reader->file);
        if (code < 0)
            return code;
    }
    reader->data = mem_alloc(LINE_READER_BYTES);
    if (reader->data != NULL)
        return 0;
    line_reader_close(reader);
    return MILL_ENOMEM;
}

void line_reader_close(struct line_reader *reader)
{
    atomic_store(&reader->stopped, true);
    while (reader->data != NULL && !reader->idle && loop_run(reader->loop, &reader->idle) == 0)
        ;
    disk_close(reader->file);
    mem_free(reader->data);
    *reader = (struct line_reader){ 0 };
}

/* What is left behind the last '\n', once. */
static int last_line(struct line_reader *reader, mill_bytes *line)
{
    if (reader->start == reader->len)
        return MILL_ECLOSED;
    *line = mill_bytes_of(reader->data + reader->start, reader->len - reader->start);
    reader->start = reader->len;
    return 1;
}

int line_reader_next(struct line_reader *reader, mill_bytes *line)
{
    if (!reader->idle)
        return 0;
    uint8_t *at = reader->data + reader->start;
    uint8_t *newline = memchr(at, '\n', reader->len - reader->start);
    if (newline != NULL) {
        *line = mill_bytes_of(at, (size_t)(newline - at));
        reader->start += line->len + 1;
        return 1;
    }
    if (reader->code < 0)
        return reader->code;
    if (reader->at_end)
        return last_line(reader, line);
    if (reader->len - reader->start == LINE_READER_BYTES)
        return MILL_ETOOLARGE;
    start_reading(reader);
    return 0;
}
