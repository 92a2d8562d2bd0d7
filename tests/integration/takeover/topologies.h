/* The topologies that Kafka Streams (WordCount.java, Stores.java) and Millstream run by turns, and what both read of a line. */
#ifndef TAKEOVER_TOPOLOGIES_H
#define TAKEOVER_TOPOLOGIES_H

#include <millstream/millstream.h>

/* A line is its time in milliseconds, its number and words, with single spaces between them. */
struct line {
    int64_t time_ms;
    int64_t number;
    mill_bytes words;
};

/* False: it is none. */
bool read_line(mill_bytes text, struct line *line);

/* The first of `words`, which are shortened by it; false: there is none. */
bool next_word(mill_bytes *words, mill_bytes *word);

/* The lines of `input`, at their own times. */
mill_stream *stream_of_lines(mill_topology *topology, const char *input);

void build_word_count(mill_topology *topology, const char *input, const char *output);
void build_stores(mill_topology *topology, const char *input, const char *output);

#endif
