/*
 * Context for an error: a fixed text on a long-lived object, prefixed on the way up.
 *
 *     return error_set(&log->error, MILL_ECORRUPT, "%s: batch at offset %lld fails its CRC; restore the file ...", path, ...);
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "millstream/error.h"

enum { ERROR_TEXT_BYTES = 512 };

struct error_text {
    char text[ERROR_TEXT_BYTES]; /* "" when there is none; cut with "..." when too long */
};

/* Replaces the text; returns `code`. */
int error_set(struct error_text *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the text; returns `code`. */
int error_prefix(struct error_text *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The code of a system call's errno: ENOSPC and EDQUOT are MILL_EDISKFULL, ENOENT is MILL_ENOTFOUND, ..., else MILL_EIO. */
int error_from_errno(int number);

#endif
