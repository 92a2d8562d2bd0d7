/* Words counted in windows of a minute; all names are generated. */
#include "topologies.h"

static int split(const mill_record *record, mill_emitter *out, void *ctx)
{
    struct line line = { .words = mill_string("") };
    mill_record word = *record;
    read_line(record->value, &line);
    int code = MILL_OK;
    while (code == MILL_OK && next_word(&line.words, &word.value))
        code = mill_emit(out, &word);
    return code;
}

static int by_word(const mill_record *record, mill_bytes *key, mill_context *context, void *ctx)
{
    *key = record->value;
    return MILL_OK;
}

void build_word_count(mill_topology *topology, const char *input, const char *output)
{
    mill_stream *words = mill_stream_flat_map_values(stream_of_lines(topology, input), split, NULL);
    mill_windowed *by_minute = mill_grouped_windowed_by(mill_stream_group_by(words, by_word, NULL),
                                                        mill_window_tumbling(MILL_MINUTES(1), MILL_HOURS(24)));
    mill_table_to(mill_windowed_count(by_minute, mill_as(NULL)), output);
}
