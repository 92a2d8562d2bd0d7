/* Error codes to text, and the text that travels with a code. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *mill_error_text(int code)
{
    switch (code) {
    case MILL_OK:
        return "no error";
#define MILL_ERROR_CASE(name, value, text) \
    case name:                             \
        return text;
        MILL_ERRORS(MILL_ERROR_CASE)
#undef MILL_ERROR_CASE
    }
    return "unknown error";
}

/* What vsnprintf would have written beyond the text is marked as cut. */
static void mark_cut(char text[ERROR_TEXT_BYTES], int wanted)
{
    if (wanted >= ERROR_TEXT_BYTES)
        memcpy(text + ERROR_TEXT_BYTES - 4, "...", 4);
}

int error_set(struct error_text *error, int code, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES]; /* the arguments may lie in error->text */
    va_list arguments;
    va_start(arguments, format);
    mark_cut(text, vsnprintf(text, sizeof text, format, arguments));
    va_end(arguments);
    memcpy(error->text, text, sizeof text);
    return code;
}

int error_prefix(struct error_text *error, int code, const char *format, ...)
{
    char prefix[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    mark_cut(prefix, vsnprintf(prefix, sizeof prefix, format, arguments));
    va_end(arguments);
    return error_set(error, code, "%s: %s", prefix, error->text);
}

int error_from_errno(int number)
{
    switch (number) {
    case 0:
        return 0;
    case ENOMEM:
        return MILL_ENOMEM;
    case ENOSPC:
    case EDQUOT:
        return MILL_EDISKFULL;
    case ENOENT:
    case ENOTDIR:
        return MILL_ENOTFOUND;
    case EEXIST:
    case ENOTEMPTY:
        return MILL_EEXISTS;
    case EACCES:
    case EPERM:
        return MILL_EACCESS;
    case EROFS:
        return MILL_EREADONLY;
    case EISDIR:
        return MILL_EISDIR;
    case EINVAL:
    case ENAMETOOLONG:
        return MILL_EINVALID;
    case EFBIG:
        return MILL_ETOOLARGE;
    case EAGAIN:
        return MILL_EAGAIN;
    case ETIMEDOUT:
        return MILL_ETIMEOUT;
    case EADDRINUSE:
        return MILL_EADDRINUSE;
    case EADDRNOTAVAIL:
        return MILL_EADDRNOTAVAIL;
    case ECONNREFUSED:
        return MILL_EREFUSED;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENOTCONN:
        return MILL_ECONNECTION;
    default:
        return MILL_EIO;
    }
}
