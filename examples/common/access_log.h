/*
 * One line of a web server's access log, in Common or Combined Log Format.
 *
 *     host ident user [dd/Mon/yyyy:hh:mm:ss +zzzz] "request" status bytes ...
 *
 * What stands behind `bytes` (referer, user agent, a line end) is not looked at. Inside the quotes a backslash escapes the next
 * byte; the request ends at the first quote that is not escaped and has a status and a size behind it, because some servers
 * write quotes as they came. A line of any other form is malformed.
 */
#ifndef EXAMPLES_ACCESS_LOG_H
#define EXAMPLES_ACCESS_LOG_H

#include <millstream/bytes.h>

struct access_log_line {
    mill_bytes client; /* the first field */
    /*
     * What was asked for, up to its first '?': from the first blank of the request to the last " HTTP/", or to the end when
     * there is no such; "-" for a request without a blank. So no page has a '?' in it.
     */
    mill_bytes page;
    int64_t time_ms; /* the line's own time, since 1970-01-01 UTC; never negative */
};

/*
 * False: malformed, `*hit` is left as it was. `hit` has views into `line`, except for the page "-", which is static. Allocates
 * nothing, reads each byte at most a few times. Any thread.
 */
bool access_log_parse(mill_bytes line, struct access_log_line *hit);

#endif
