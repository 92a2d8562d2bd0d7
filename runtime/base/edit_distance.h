/* How unlike two words are: for the suggestion behind a name that is unknown. Any thread. */
#ifndef BASE_EDIT_DISTANCE_H
#define BASE_EDIT_DISTANCE_H

#include <stddef.h>

/* Letters to change, add or leave out to make one of the other (Levenshtein's); SIZE_MAX when `b` has above 256 bytes. */
size_t edit_distance(const char *a, const char *b);

/* Up to this distance from `name` a word may be meant; beyond a third of its letters it is another. */
size_t edit_distance_max(const char *name);

#endif
