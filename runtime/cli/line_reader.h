/*
 * Lines of a file or of standard input, read in the background.
 *
 * A worker reads chunks into one buffer; the loop cuts lines out of it, and asks for more when none is left. A line is a view
 * into the buffer, without its '\n', valid until the next call that returned false. A last line without '\n' counts.
 *
 * Thread: the loop's, but for the reading itself.
 */
#ifndef CLI_LINE_READER_H
#define CLI_LINE_READER_H

#include <stdatomic.h>

#include "io/io.h"
#include "millstream/bytes.h"

enum { LINE_READER_BYTES = 4 << 20 }; /* also the longest line: four times the largest record a broker takes by default */

struct line_reader {
    struct work_item item;
    struct loop *loop;
    struct disk_file *file; /* NULL: standard input */
    int64_t position;
    uint8_t *data;
    size_t start; /* the lines not given out yet: [start, len) */
    size_t len;
    bool idle; /* no read is under way */
    bool at_end;
    atomic_bool stopped;
    int code;
    void (*ready)(void *ctx, struct io_time now);
    void *ctx;
};

/*
 * `path` NULL or "-": standard input. `ready` is called when line_reader_next, which has returned false, has got something new
 * to say. 0; MILL_ENOTFOUND, MILL_EACCESS, MILL_EIO, MILL_ENOMEM.
 */
int line_reader_open(struct line_reader *reader, struct loop *loop, const char *path,
                     void (*ready)(void *ctx, struct io_time now), void *ctx);

/* Waits for a read under way (a tenth of a second at most). Harmless on a zeroed reader. */
void line_reader_close(struct line_reader *reader);

/*
 * 1 and a line; 0: nothing now, `ready` will tell; MILL_ECLOSED at the end; MILL_ETOOLARGE: a line beyond the limit; MILL_EIO.
 */
int line_reader_next(struct line_reader *reader, mill_bytes *line);

#endif
