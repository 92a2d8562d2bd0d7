/*
 * A regular expression over names, as strangers may send it: it covers the whole name, and costs what its length says.
 *
 * Understood, as RE2 does: characters, `.`, sets `[a-z_]` and `[^.]`, the classes \d \D \w \W \s \S in a set or alone, `\` before
 * what is neither letter nor digit, groups `( )` and `(?: )`, `|`, `*` `+` `?` with a `?` behind; `^` at the beginning and `$` at
 * the end say nothing new. Refused: counted repetition, back references, and what else RE2 has.
 *
 * It becomes a list of steps of at most twice its length, and matching walks all alternatives at once, character by character
 * (Thompson's way): length of the pattern times length of the name, however they are chosen; nothing is allocated, and recursion
 * ends with the pattern.
 *
 * Thread: any.
 */
#ifndef BROKER_NAME_PATTERN_H
#define BROKER_NAME_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

enum { NAME_PATTERN_BYTES_MAX = 249, NAME_PATTERN_STEPS_MAX = 2 * NAME_PATTERN_BYTES_MAX + 1 }; /* as long as a topic's name */

enum name_step_kind {
    NAME_STEP_CHARACTER, /* the one at `at` in the text */
    NAME_STEP_ANY,
    NAME_STEP_CLASS, /* that of the letter at `at` */
    NAME_STEP_SET,   /* its first member, or `^`, is at `at` */
    NAME_STEP_SPLIT, /* goes on at both */
    NAME_STEP_JUMP,  /* goes on at the first */
    NAME_STEP_END
};

struct name_step {
    enum name_step_kind kind;
    int16_t at;
    int16_t to[2]; /* counted from this step */
};

struct name_pattern {
    uint8_t text[NAME_PATTERN_BYTES_MAX];
    size_t len;
    struct name_step steps[NAME_PATTERN_STEPS_MAX];
    size_t step_count;
};

/* False: it is longer than NAME_PATTERN_BYTES_MAX, no such expression, or has something that is refused. */
bool name_pattern_compile(struct name_pattern *pattern, mill_bytes text);

bool name_pattern_matches(const struct name_pattern *pattern, mill_bytes name);

#endif
