/*
 * Topologies that Kafka Streams has too, letter by letter (Takeover.java), so that either goes on where the other has stopped.
 *
 *     takeover words|stores INPUT OUTPUT --describe
 *     takeover words|stores INPUT OUTPUT [-X name=value]...
 */
#include <stdio.h>
#include <string.h>

#include "topologies.h"

static bool read_number(mill_bytes text, size_t *at, int64_t *number)
{
    size_t begin = *at;
    *number = 0;
    while (*at < text.len && *at < begin + 18 && text.data[*at] >= '0' && text.data[*at] <= '9')
        *number = *number * 10 + (text.data[(*at)++] - '0');
    return *at > begin && *at < text.len && text.data[(*at)++] == ' ';
}

bool read_line(mill_bytes text, struct line *line)
{
    size_t at = 0;
    if (!read_number(text, &at, &line->time_ms) || !read_number(text, &at, &line->number))
        return false;
    line->words = mill_bytes_of(text.data + at, text.len - at);
    return true;
}

bool next_word(mill_bytes *words, mill_bytes *word)
{
    if (words->len == 0)
        return false;
    const uint8_t *space = memchr(words->data, ' ', words->len);
    size_t len = space ? (size_t)(space - words->data) : words->len;
    size_t taken = space ? len + 1 : len;
    *word = mill_bytes_of(words->data, len);
    *words = mill_bytes_of(words->data + taken, words->len - taken);
    return true;
}

static int64_t line_time(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    struct line line;
    return read_line(record->value, &line) ? line.time_ms : -1;
}

mill_stream *stream_of_lines(mill_topology *topology, const char *input)
{
    mill_source_options options = { .extractor = line_time };
    return mill_topology_stream(topology, input, &options);
}

static int describe(mill_topology *topology)
{
    char *text = mill_topology_describe(topology);
    fputs(text ? text : mill_topology_error(topology), stdout);
    mill_free(text);
    mill_topology_free(topology);
    return text == NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "Usage: %s words|stores INPUT OUTPUT [--describe | -X name=value...]\n", argv[0]);
        return 2;
    }
    mill_topology *topology = mill_topology_new();
    if (strcmp(argv[1], "words") == 0)
        build_word_count(topology, argv[2], argv[3]);
    else
        build_stores(topology, argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[4], "--describe") == 0)
        return describe(topology);
    argv[3] = argv[0];
    return mill_main(argc - 3, argv + 3, "takeover", topology);
}
