/*
 * Error codes of the whole library.
 *
 * A function that can fail returns 0 or one of these negative codes; it never sets errno for the caller. What happened, where and
 * what to do is kept as text on the long-lived object concerned (see mill_app_error, mill_test_driver_error). Kafka's wire errors
 * are another enum (wire/kafka_error.h).
 */
#ifndef MILLSTREAM_ERROR_H
#define MILLSTREAM_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MILL_API      __attribute__((visibility("default")))
#define MILL_MUST_USE __attribute__((warn_unused_result))
#else
#define MILL_API
#define MILL_MUST_USE
#endif

/* X(name, value, text) */
#define MILL_ERRORS(X)                                                      \
    X(MILL_ENOMEM, -1, "out of memory, or above a configured memory limit") \
    X(MILL_ECORRUPT, -2, "data failed its check")                           \
    X(MILL_EINVALID, -3, "invalid argument or configuration")               \
    X(MILL_EIO, -4, "input/output error")                                   \
    X(MILL_EDISKFULL, -5, "no space left on the device")                    \
    X(MILL_ENOTFOUND, -6, "not found")                                      \
    X(MILL_EEXISTS, -7, "exists already")                                   \
    X(MILL_ELOCKED, -8, "in use by another process")                        \
    X(MILL_ETOOLARGE, -9, "larger than a limit")                            \
    X(MILL_ETRUNCATED, -10, "data ends too early")                          \
    X(MILL_EUNSUPPORTED, -11, "not supported")                              \
    X(MILL_ECLOSED, -12, "closed")                                          \
    X(MILL_EAGAIN, -13, "not now: call again after progress")               \
    X(MILL_ETIMEOUT, -14, "timed out")                                      \
    X(MILL_ECONNECTION, -15, "connection failed or lost")                   \
    X(MILL_EPROTOCOL, -16, "the peer violated the protocol")                \
    X(MILL_EOUTOFRANGE, -17, "offset out of range")                         \
    X(MILL_EFENCED, -18, "fenced by a newer owner")                         \
    X(MILL_EACCESS, -19, "permission denied")                               \
    X(MILL_EUSER, -20, "a user's callback failed")                          \
    X(MILL_EBROKER, -21, "the broker answered with an error")               \
    X(MILL_EADDRINUSE, -22, "address in use")                               \
    X(MILL_EADDRNOTAVAIL, -23, "the address is not of this machine")        \
    X(MILL_EREADONLY, -24, "read-only file system")                         \
    X(MILL_EISDIR, -25, "it is a directory")                                \
    X(MILL_EREFUSED, -26, "connection refused: nobody listens there")

enum mill_error {
    MILL_OK = 0,
#define MILL_ERROR_ENUM(name, value, text) name = value,
    MILL_ERRORS(MILL_ERROR_ENUM)
#undef MILL_ERROR_ENUM
};

/* The text of `code`, static; "unknown error" for a code that is not one. Any thread. */
MILL_API const char *mill_error_text(int code);

#ifdef __cplusplus
}
#endif
#endif
