/*
 * Kafka's messages: one field list each, and one interpreter for all of them.
 *
 * A message is written down once, as a list in wire/api/<name>.h (or metadata_records.h, group_records.h):
 *
 *     #define HEARTBEAT_REQUEST_FIELDS(FIELD, T)                                  \
 *         FIELD(T, STRING, group_id, SINCE(0))                                    \
 *         FIELD(T, INT32, generation_id, SINCE(0))                                \
 *         FIELD(T, STRING, member_id, SINCE(0))                                   \
 *         FIELD(T, STRING, group_instance_id, SINCE(3), NULLABLE(3), NULL_DEFAULT)
 *     WIRE_MESSAGE(heartbeat_request, HEARTBEAT_REQUEST_FIELDS, 0, 4, 4)
 *
 * From it come `struct heartbeat_request`, heartbeat_request_init (every field at its default), heartbeat_request_array (an array
 * of such elements) and the constant `heartbeat_request_message`, by which the functions below measure, encode, decode, print and
 * invent such messages in every version. WIRE_STRUCT does the same for a part of a message; the numbers of WIRE_MESSAGE are its
 * lowest, its highest and its first flexible version (WIRE_NEVER: none).
 *
 * The types of fields, what they are in the struct, and in the message (big-endian; flexible versions in brackets):
 *
 *     BOOL INT8 INT16 UINT16 INT32 UINT32 INT64 FLOAT64    bool, int8_t ... int64_t, double
 *     UUID            struct wire_uuid       16 bytes
 *     STRING          mill_bytes             int16 length, -1 is null [unsigned varint, length + 1, 0 is null], UTF-8
 *     BYTES           mill_bytes             int32 length, -1 is null [as STRING]
 *     RECORDS         struct wire_records    as BYTES, but never copied: record batches, opaque here
 *     ARRAY_INT8 _INT16 _INT32 _INT64 _STRING _UUID   struct wire_int32s ... { items, count }
 *     ARRAY(part)     struct { struct part *items; int32_t count; }    int32 count, -1 is null [unsigned varint, count + 1]
 *     STRUCT(part)    struct part
 *     OPTIONAL(part)  struct part *          int8 1 and the part, or -1 for null
 *
 * What may follow the name: SINCE(v) or BETWEEN(v, w), the versions that have it; NULLABLE(v), may be null from version v on;
 * DEFAULT(number); NULL_DEFAULT; TAG(number), a tagged field, sent only when it differs from its default; IGNORABLE, silently
 * left out of versions that lack it (a field without it that is set refuses to be encoded there: MILL_EUNSUPPORTED).
 *
 * Null is `data == NULL` for strings and bytes, count -1 for arrays and records; numbers default to 0, strings to "", arrays to
 * empty, records to null. Fields that a version lacks have their default after decoding.
 *
 * Memory. What is decoded views the bytes that it was decoded from; arrays and optional parts lie in the arena. Nothing is freed
 * one by one: drop arena and bytes together (wire/message.h does).
 *
 * Hostile input. A count is refused when it is above WIRE_ARRAY_MAX or when the bytes that remain cannot hold so many elements,
 * before anything is allocated; a message with more than WIRE_TAGS_MAX tagged fields is refused; the arena's maximum bounds the
 * rest. Unknown tagged fields are skipped. Nesting is that of the lists, so the stack is bounded.
 *
 * Thread: any; nothing is shared but constants. Source: Kafka's protocol guide and message schemas, KIP-482.
 */
#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/prng.h"
#include "base/shared_buffer.h"

enum {
    WIRE_NEVER = 32767, /* as a first flexible version: none is */
    WIRE_ARRAY_MAX = 1000000,
    WIRE_TAGS_MAX = 10000,
};

/* ---- what fields are in structs -------------------------------------------------------------------------------------------- */

struct wire_uuid {
    uint8_t bytes[16]; /* all zero: no id */
};

/*
 * Record batches, one behind the other in `len` bytes of `count` slices; null: count -1. Decoding gives one slice (none for zero
 * bytes) with the frame as its buffer, without holding it: who keeps a slice longer than the message holds its buffer.
 */
struct wire_records {
    struct slice *slices;
    int32_t count;
    size_t len;
};

struct wire_int8s {
    int8_t *items;
    int32_t count;
};

struct wire_int16s {
    int16_t *items;
    int32_t count;
};

struct wire_int32s {
    int32_t *items;
    int32_t count;
};

struct wire_int64s {
    int64_t *items;
    int32_t count;
};

struct wire_strings {
    mill_bytes *items;
    int32_t count;
};

struct wire_uuids {
    struct wire_uuid *items;
    int32_t count;
};

static inline bool wire_uuid_equal(struct wire_uuid a, struct wire_uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static inline bool wire_uuid_is_zero(struct wire_uuid id)
{
    return wire_uuid_equal(id, (struct wire_uuid){ { 0 } });
}

/* As Kafka writes ids: 22 characters of url-safe base64 and NUL. */
enum { WIRE_UUID_TEXT_BYTES = 23 };
void wire_uuid_text(struct wire_uuid id, char text[WIRE_UUID_TEXT_BYTES]);

/* Null records: what a partition with an error carries. */
static inline struct wire_records wire_records_null(void)
{
    return (struct wire_records){ NULL, -1, 0 };
}

/* ---- what the interpreter knows of them ------------------------------------------------------------------------------------ */

enum wire_type {
    WIRE_BOOL,
    WIRE_INT8,
    WIRE_INT16,
    WIRE_UINT16,
    WIRE_INT32,
    WIRE_UINT32,
    WIRE_INT64,
    WIRE_FLOAT64,
    WIRE_UUID,
    WIRE_STRING,
    WIRE_BYTES,
    WIRE_RECORDS,
    WIRE_PART,
};

enum wire_shape { WIRE_ONE, WIRE_OPTIONAL, WIRE_MANY };

struct wire_layout;

struct wire_field {
    const char *name;
    const struct wire_layout *part; /* of WIRE_PART, else NULL */
    uint32_t offset;                /* in the struct */
    uint8_t type;                   /* enum wire_type */
    uint8_t shape;                  /* enum wire_shape */
    bool null_default;
    bool ignorable;
    int16_t first; /* versions that have it */
    int16_t last;
    int16_t nullable_plus_one; /* first version in which it may be null, + 1; 0: none */
    int16_t tag_plus_one;      /* 0: not tagged */
    int64_t default_value;     /* of numbers */
};

struct wire_layout {
    const char *name;
    uint32_t size; /* of the struct */
    uint32_t field_count;
    const struct wire_field *fields;
};

struct wire_message {
    const struct wire_layout *layout;
    int16_t version_min;
    int16_t version_max;
    int16_t flexible_since;
};

/* ---- the functions --------------------------------------------------------------------------------------------------------- */

/* Sets every field to its default; <part>_init and <message>_init call it. */
void wire_init(const struct wire_layout *layout, void *value);

/*
 * `count` elements at their defaults, in the arena; <part>_array calls it. NULL: no memory. A count of 0 gives a valid pointer.
 */
void *wire_new_array(const struct wire_layout *layout, struct arena *arena, int32_t count);

/* An encoded message: `len` bytes in `count` slices, to be written one after the other. */
struct wire_frame {
    struct slice *slices;
    int32_t count;
    size_t len;
};

/* Bytes of the message in this version, or MILL_EUNSUPPORTED, MILL_EINVALID, MILL_ETOOLARGE as wire_encode. */
int wire_size(const struct wire_message *message, int version, const void *value, size_t *size, struct error_text *error);

/*
 * Encodes into the arena, `head` free bytes in front for the caller's own (they count in `len`; the first slice begins with
 * them). Record slices are not copied: the frame's slices alternate between arena memory (buffer NULL) and the records' own.
 * MILL_EUNSUPPORTED: the version is unknown, or lacks a field that is set; MILL_EINVALID: null where there must not be;
 * MILL_ETOOLARGE: a string above 32,767 bytes in a version that counts in int16, or a message above 2^31-1 bytes; MILL_ENOMEM.
 * `error` (may be NULL here and below) tells message, version and field.
 */
int wire_encode(const struct wire_message *message, int version, const void *value, size_t head, struct arena *arena,
                struct wire_frame *frame, struct error_text *error);

/* Appends the encoded message to `out`, records copied: for keys and values of internal topics, and tests. Errors as above. */
int wire_append(const struct wire_message *message, int version, const void *value, struct buffer *out, struct error_text *error);

/*
 * Decodes from `reader`, which then stands behind the message; what follows is the caller's to judge. `frame`, when not NULL, is
 * the buffer in which the bytes lie: it becomes the buffer of record slices and is not held. `value` needs no initialisation.
 * MILL_ETRUNCATED: the bytes end too early, or cannot hold an announced count; MILL_ECORRUPT: a negative length, a null where
 * there must not be, tags out of order, a tagged field of another size than announced; MILL_ETOOLARGE: a count above the caps;
 * MILL_ENOMEM: the arena's maximum; MILL_EUNSUPPORTED: the version.
 */
int wire_decode(const struct wire_message *message, int version, struct byte_reader *reader, struct shared_buffer *frame,
                struct arena *arena, void *value, struct error_text *error);

/*
 * Copies what the strings and bytes of a filled part view into the arena. Arrays and optional parts, which lie there already, and
 * record slices stay. MILL_ENOMEM: some are copied.
 */
int wire_own(const struct wire_layout *layout, void *value, struct arena *arena);

/* Skips a run of tagged fields, all of them unknown: that of a flexible header. Errors as wire_decode. */
int wire_skip_tags(struct byte_reader *reader);

/*
 * Appends the fields of this version as text, for traces and tests: `{group_id="g", generation_id=3, topics=[{...}, ...]}`.
 * Bytes print as their length, strings with control and quote characters escaped; at most `items_max` elements of an array.
 */
void wire_print(const struct wire_message *message, int version, const void *value, int32_t items_max, struct buffer *out);

/* A random valid message of this version, in the arena; for tests and fuzzers. MILL_ENOMEM. */
int wire_random(const struct wire_message *message, int version, struct prng *prng, struct arena *arena, void *value);

/* ---- the lists' expansion -------------------------------------------------------------------------------------------------- */

#define WIRE_MEMBER(T, type, name, ...) WIRE_MEMBER_##type name;
#define WIRE_MEMBER_BOOL                bool
#define WIRE_MEMBER_INT8                int8_t
#define WIRE_MEMBER_INT16               int16_t
#define WIRE_MEMBER_UINT16              uint16_t
#define WIRE_MEMBER_INT32               int32_t
#define WIRE_MEMBER_UINT32              uint32_t
#define WIRE_MEMBER_INT64               int64_t
#define WIRE_MEMBER_FLOAT64             double
#define WIRE_MEMBER_UUID                struct wire_uuid
#define WIRE_MEMBER_STRING              mill_bytes
#define WIRE_MEMBER_BYTES               mill_bytes
#define WIRE_MEMBER_RECORDS             struct wire_records
#define WIRE_MEMBER_ARRAY_INT8          struct wire_int8s
#define WIRE_MEMBER_ARRAY_INT16         struct wire_int16s
#define WIRE_MEMBER_ARRAY_INT32         struct wire_int32s
#define WIRE_MEMBER_ARRAY_INT64         struct wire_int64s
#define WIRE_MEMBER_ARRAY_STRING        struct wire_strings
#define WIRE_MEMBER_ARRAY_UUID          struct wire_uuids
#define WIRE_MEMBER_STRUCT(part)        struct part
#define WIRE_MEMBER_OPTIONAL(part)      struct part *
#define WIRE_MEMBER_ARRAY(part) \
    struct {                    \
        struct part *items;     \
        int32_t count;          \
    }

#define WIRE_STRUCT_DECLARE(T, FIELDS)                                    \
    struct T {                                                            \
        FIELDS(WIRE_MEMBER, T)                                            \
    };                                                                    \
    extern const struct wire_layout T##_layout;                           \
    static inline void T##_init(struct T *value)                          \
    {                                                                     \
        wire_init(&T##_layout, value);                                    \
    }                                                                     \
    static inline struct T *T##_array(struct arena *arena, int32_t count) \
    {                                                                     \
        return (struct T *)wire_new_array(&T##_layout, arena, count);     \
    }

#define WIRE_MESSAGE_DECLARE(T, FIELDS, min, max, flexible) \
    WIRE_STRUCT_DECLARE(T, FIELDS)                          \
    extern const struct wire_message T##_message;

/* messages.c, which defines the constants, defines these two before it includes the lists. */
#ifndef WIRE_DEFINE_LAYOUTS
#define WIRE_STRUCT(T, FIELDS)                      WIRE_STRUCT_DECLARE(T, FIELDS)
#define WIRE_MESSAGE(T, FIELDS, min, max, flexible) WIRE_MESSAGE_DECLARE(T, FIELDS, min, max, flexible)
#endif

#endif
