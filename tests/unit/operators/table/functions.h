/* The user's functions of the pipelines of KafkaStreamsTables.java, under their names there. */
#ifndef OPERATORS_TABLE_FUNCTIONS_H
#define OPERATORS_TABLE_FUNCTIONS_H

#include "unit/operators/pipeline.h"

static inline bool is_long(const mill_record *row, void *ctx)
{
    return row->value.len > 1;
}

static inline bool starts_with_x(const mill_record *row, void *ctx)
{
    return row->value.len > 0 && row->value.data[0] == 'x';
}

/* `ctx` as text behind the value, or the word null, as Java's + has it. */
static inline int with_suffix(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_is_null(row->value) ? mill_string("null") : row->value;
    return concatenate(result, mill_string(ctx), context, NULL);
}

static inline int exclaim(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    return with_suffix(row, result, context, "!");
}

/* ---- a transformer with a store ------------------------------------------------------------------------------------------ */

struct counting {
    mill_store *calls;
};

static inline int counting_init(mill_context *context, void *self, const void *argument)
{
    ((struct counting *)self)->calls = mill_context_store(context, "calls");
    return 0;
}

static inline int counting_transform(mill_context *context, void *self, const mill_record *row, mill_bytes *result)
{
    struct counting *counting = self;
    mill_bytes calls;
    int code = mill_key_value_get(counting->calls, row->key, &calls, NULL);
    if (code >= 0)
        code = concatenate(&calls, mill_string("."), context, NULL);
    if (code >= 0)
        code = mill_key_value_put(counting->calls, row->key, calls, 0);
    *result = mill_is_null(row->value) ? mill_string("null") : row->value;
    return code < 0 ? code : concatenate(result, calls, context, NULL);
}

static const mill_value_transformer_type COUNTING = {
    .name = "counting", .self_bytes = sizeof(struct counting), .init = counting_init, .transform = counting_transform
};

/* How often it was called for the key, behind the value. */
static inline mill_table *counting(mill_topology *t, mill_table *table, const char *store)
{
    mill_topology_add_store(t, mill_store_in_memory(mill_key_value_store("calls")), NULL, 0);
    mill_value_transformer_supplier supplier = { .type = &COUNTING };
    return mill_table_transform_values(table, supplier, (const char *[]){ "calls" }, 1, mill_as(store));
}

/* ---- sources ------------------------------------------------------------------------------------------------------------- */

static inline mill_table *rows(mill_topology *t, const char *topic)
{
    return mill_topology_table(t, topic, NULL, mill_as(NULL));
}

static inline mill_stream *records(mill_topology *t, const char *topic)
{
    return mill_topology_stream(t, topic, NULL);
}

/* ---- groups -------------------------------------------------------------------------------------------------------------- */

/* By the first letter; the empty value is in no group, nor is one that would be of length 3. */
static inline int by_letter(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = row->value.len == 0 ? mill_null() : mill_bytes_of(row->value.data, 1);
    result->value = row->value.len == 3 ? mill_null() : row->key;
    return mill_is_null(result->value) ? 0 : concatenate(&result->value, row->value, context, NULL);
}

static inline bool ends_with(mill_bytes bytes, const char *end)
{
    size_t len = strlen(end);
    return bytes.len >= len && memcmp(bytes.data + bytes.len - len, end, len) == 0;
}

static inline int append_with(mill_bytes *aggregate, const char *between, mill_bytes value, mill_context *context)
{
    int code = concatenate(aggregate, mill_string(between), context, NULL);
    return code < 0 ? code : concatenate(aggregate, value, context, NULL);
}

static inline int plus(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    if (!ends_with(value, "yy"))
        return append_with(aggregate, "+", value, context);
    *aggregate = mill_null();
    return 0;
}

static inline int minus(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    if (!ends_with(value, "b"))
        return append_with(aggregate, "-", value, context);
    *aggregate = mill_null();
    return 0;
}

static inline mill_table *reduced(mill_grouped_table *grouped, const char *store)
{
    return mill_grouped_table_reduce(grouped, plus, minus, NULL, mill_as(store));
}

static inline mill_grouped_table *letters(mill_table *table)
{
    return mill_table_group_by(table, by_letter, NULL);
}

/* ---- joins --------------------------------------------------------------------------------------------------------------- */

static inline size_t print_word(char *out, mill_bytes bytes)
{
    mill_bytes word = mill_is_null(bytes) ? mill_string("null") : bytes;
    memcpy(out, word.data, word.len);
    return word.len;
}

/* "(left+right)" */
static inline int both(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    char *text = mill_context_alloc(context, left.len + right.len + 16);
    assert_non_null(text);
    size_t len = 0;
    text[len++] = '(';
    len += print_word(text + len, left);
    text[len++] = '+';
    len += print_word(text + len, right);
    text[len++] = ')';
    *result = mill_bytes_of(text, len);
    return 0;
}

static inline int right(mill_bytes key, mill_bytes left, mill_bytes value, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = value;
    return 0;
}

/* "left+count" */
static inline int and_count(mill_bytes key, mill_bytes left, mill_bytes count, mill_bytes *result, mill_context *context,
                            void *ctx)
{
    int64_t number = 0;
    char *text = mill_context_alloc(context, 32);
    assert_non_null(text);
    bool is_there = mill_int64_read(count, &number);
    snprintf(text, 32, is_there ? "+%" PRId64 : "+null", number);
    *result = mill_is_null(left) ? mill_string("null") : left;
    return concatenate(result, mill_string(text), context, NULL);
}

/* By the letter behind the bracket. */
static inline int by_second(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_bytes_of(row->value.data + 1, 1);
    return 0;
}

static inline int key_and_value(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = row->key;
    return concatenate(result, row->value, context, NULL);
}

static inline int nothing(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("");
    return 0;
}

static inline int all_rows(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    result->key = mill_string("all");
    return 0;
}

/* The first letter; none of the empty value, nor of the rows "d" that are long. */
static inline int foreign_key(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    bool none = row->value.len == 0 || (mill_bytes_equal(row->key, mill_string("d")) && row->value.len > 1);
    *result = none ? mill_null() : mill_bytes_of(row->value.data, 1);
    return 0;
}

#endif
