/*
 * Words counted in windows of a minute, as WordCount.java counts them with Kafka Streams: the same topology to the letter, so
 * that either goes on where the other has stopped.
 *
 *     word_count --describe INPUT OUTPUT
 *     word_count INPUT OUTPUT [-X name=value]...
 *
 * A line is its time in milliseconds, a space and words that single spaces part.
 */
#include <millstream/millstream.h>

#include <stdio.h>
#include <string.h>

/* Where a line's words begin, 0 when it is none; `time_ms` unless NULL. */
static size_t read_time(mill_bytes line, int64_t *time_ms)
{
    int64_t time = 0;
    size_t at = 0;
    while (at < line.len && at < 18 && line.data[at] >= '0' && line.data[at] <= '9')
        time = time * 10 + (line.data[at++] - '0');
    if (at == 0 || at == line.len || line.data[at] != ' ')
        return 0;
    if (time_ms)
        *time_ms = time;
    return at + 1;
}

static int64_t line_time(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    int64_t time_ms = -1;
    read_time(record->value, &time_ms);
    return time_ms;
}

static int split(const mill_record *record, mill_emitter *out, void *ctx)
{
    mill_bytes line = record->value;
    mill_record word = *record;
    size_t begin = read_time(line, NULL);
    while (begin < line.len) {
        const uint8_t *space = memchr(line.data + begin, ' ', line.len - begin);
        size_t end = space ? (size_t)(space - line.data) : line.len;
        word.value = mill_bytes_of(line.data + begin, end - begin);
        int code = mill_emit(out, &word);
        if (code < 0)
            return code;
        begin = end + 1;
    }
    return MILL_OK;
}

static int by_word(const mill_record *record, mill_bytes *key, mill_context *context, void *ctx)
{
    *key = record->value;
    return MILL_OK;
}

static mill_topology *build(const char *input, const char *output)
{
    mill_topology *topology = mill_topology_new();
    mill_source_options options = { .extractor = line_time };
    mill_stream *words = mill_stream_flat_map_values(mill_topology_stream(topology, input, &options), split, NULL);
    mill_windowed *by_minute = mill_grouped_windowed_by(mill_stream_group_by(words, by_word, NULL),
                                                        mill_window_tumbling(MILL_MINUTES(1), MILL_HOURS(24)));
    mill_table_to(mill_windowed_count(by_minute, mill_as(NULL)), output);
    return topology;
}

static int describe(const char *input, const char *output)
{
    mill_topology *topology = build(input, output);
    char *text = mill_topology_describe(topology);
    fputs(text ? text : mill_topology_error(topology), stdout);
    mill_free(text);
    mill_topology_free(topology);
    return text == NULL;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--describe") == 0)
        return describe(argv[2], argv[3]);
    if (argc < 3) {
        fprintf(stderr, "Usage: %s INPUT OUTPUT [-X name=value]...\n", argv[0]);
        return 2;
    }
    const char *input = argv[1];
    const char *output = argv[2];
    argv[2] = argv[0];
    return mill_main(argc - 2, argv + 2, "word-count", build(input, output));
}
