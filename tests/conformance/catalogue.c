#include "conformance/catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH_MAX = 40, TEXT_MAX = 256 };

static int number_of(void *ctx)
{
    return (int)(intptr_t)ctx;
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------------- */

static uint32_t checksum(mill_bytes bytes)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < bytes.len; i++)
        sum = (sum ^ bytes.data[i]) * 16777619u;
    return sum;
}

static int first(mill_bytes bytes)
{
    return bytes.len == 0 ? -1 : bytes.data[0];
}

static bool is_odd(int byte)
{
    return byte >= 0 && byte % 2 == 1;
}

static int copy(mill_bytes bytes, mill_bytes *result, mill_context *context)
{
    uint8_t *made = mill_context_alloc(context, bytes.len + 1);
    if (made == NULL)
        return MILL_ENOMEM;
    if (bytes.len > 0)
        memcpy(made, bytes.data, bytes.len);
    *result = mill_bytes_of(made, bytes.len);
    return 0;
}

/* `a`, then `b`, null as `~`; a long result as its checksum. */
static int concatenate(mill_bytes a, const char *between, mill_bytes b, mill_bytes *result, mill_context *context)
{
    uint8_t text[TEXT_MAX];
    mill_bytes parts[] = { mill_is_null(a) ? mill_string("~") : a, mill_string(between), mill_is_null(b) ? mill_string("~") : b };
    size_t len = 0;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].len > 0)
            memcpy(text + len, parts[i].data, parts[i].len);
        len += parts[i].len;
    }
    mill_bytes whole = mill_bytes_of(text, len);
    char sum[16];
    if (len > LENGTH_MAX) {
        snprintf(sum, sizeof sum, "#%08" PRIx32, checksum(whole));
        whole = mill_string(sum);
    }
    return copy(whole, result, context);
}

static int of_number(int64_t number, mill_bytes *result, mill_context *context)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    return copy(mill_string(text), result, context);
}

int64_t catalogue_to_number(mill_bytes text)
{
    uint64_t number = 0; /* what is no number is one, too: it wraps around as Java's */
    bool negative = first(text) == '-';
    for (size_t i = negative; i < text.len; i++)
        number = number * 10 + (uint64_t)text.data[i] - '0';
    return (int64_t)(negative ? -number : number);
}

static int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* ---- record by record ------------------------------------------------------------------------------------------------------ */

bool catalogue_predicate(const mill_record *record, void *ctx)
{
    switch (number_of(ctx)) {
    case 0:
        return !mill_is_null(record->value);
    case 1:
        return !mill_is_null(record->key);
    case 2:
        return record->value.len % 2 == 0;
    case 3:
        return is_odd(first(record->value));
    case 4:
        return is_odd(first(record->key));
    case 5:
        return true;
    case 6:
        return false;
    default:
        return first(record->value) < 'c';
    }
}

int catalogue_value(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    mill_bytes value = record->value;
    switch (number_of(ctx)) {
    case 0:
        *result = value;
        return 0;
    case 1:
        return mill_is_null(value) ? 0 : concatenate(value, "", mill_string("!"), result, context);
    case 2:
        return concatenate(value, "", mill_string("?"), result, context);
    case 3:
        *result = is_odd(first(value)) ? mill_null() : value;
        return 0;
    case 4:
        *result = mill_bytes_of(value.data, value.len > 1 ? 1 : value.len);
        return 0;
    case 5:
        return concatenate(record->key, ":", value, result, context);
    case 6:
        *result = mill_string("");
        return 0;
    default:
        if (first(value) == 'f')
            return mill_context_error(context, MILL_EUSER, "a value that begins with f");
        *result = value;
        return 0;
    }
}

int catalogue_key(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    mill_bytes value = record->value;
    switch (number_of(ctx)) {
    case 0:
        *result = value.len == 0 ? mill_null() : mill_bytes_of(value.data, 1);
        return 0;
    case 1:
        *result = mill_is_null(value) ? mill_null() : mill_string(is_odd(first(value)) ? "1" : "0");
        return 0;
    case 2:
        *result = mill_string("k");
        return 0;
    case 3:
        *result = value;
        return 0;
    case 4:
        *result = record->key;
        return 0;
    case 5:
        return concatenate(record->key, "", mill_bytes_of(value.data, value.len > 1 ? 1 : value.len), result, context);
    default:
        if (first(value) == 'f')
            return mill_context_error(context, MILL_EUSER, "a value that begins with f");
        *result = value.len > 1 ? mill_string("") : mill_string("z");
        return 0;
    }
}

int catalogue_record(const mill_record *record, mill_record *result, mill_context *context, void *ctx)
{
    int number = number_of(ctx);
    mill_bytes key = mill_null(), value = mill_null();
    int code = catalogue_key(record, &key, context, catalogue_number(number / 8));
    if (code == 0)
        code = catalogue_value(record, &value, context, catalogue_number(number % 8));
    result->key = key;
    result->value = value;
    return code;
}

static int emit_changed(const mill_record *record, mill_emitter *out, mill_bytes key, mill_bytes value)
{
    mill_record changed = *record;
    changed.key = key;
    changed.value = value;
    return mill_emit(out, &changed);
}

/* Each byte of the value, at most three, as a value. */
static int each_byte(const mill_record *record, mill_emitter *out)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < record->value.len && i < 3; i++)
        code = emit_changed(record, out, record->key, mill_bytes_of(record->value.data + i, 1));
    return code;
}

int catalogue_flat(const mill_record *record, mill_emitter *out, void *ctx)
{
    mill_bytes changed = mill_null();
    int code;
    switch (number_of(ctx)) {
    case 0:
        return each_byte(record, out);
    case 1:
        code = mill_emit(out, record);
        return code < 0 ? code : mill_emit(out, record);
    case 2: /* key and value change places */
        code = emit_changed(record, out, record->value, record->key);
        return code < 0 ? code : mill_emit(out, record);
    default:
        if (mill_is_null(record->value))
            return 0;
        code = concatenate(record->value, "", mill_string("*"), &changed, mill_emitter_context(out));
        return code < 0 ? code : emit_changed(record, out, record->key, changed);
    }
}

/* ---- aggregates ------------------------------------------------------------------------------------------------------------ */

int catalogue_reduce(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    switch (number_of(ctx)) {
    case 0:
        return concatenate(*aggregate, "", value, aggregate, context);
    case 1:
        *aggregate = value;
        return 0;
    case 2:
        *aggregate = first(value) == 'd' ? mill_null() : *aggregate;
        return 0;
    case 3:
        *aggregate = mill_bytes_compare(*aggregate, value) < 0 ? value : *aggregate;
        return 0;
    case 4:
        return concatenate(value, "", mill_string("-"), aggregate, context);
    case 5:
        return of_number(sum(catalogue_to_number(*aggregate), catalogue_to_number(value)), aggregate, context);
    default:
        return of_number(difference(catalogue_to_number(*aggregate), catalogue_to_number(value)), aggregate, context);
    }
}

int catalogue_initial(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    switch (number_of(ctx) % 8) {
    case 0:
        *aggregate = mill_string("0");
        return 0;
    case 1:
        *aggregate = mill_string("");
        return 0;
    default:
        return 0;
    }
}

int catalogue_aggregate(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    int64_t number = checksum(value) % 100;
    switch (number_of(ctx) % 64 / 8) {
    case 0:
        return concatenate(*aggregate, "", value, aggregate, context);
    case 1:
        return first(value) == 'd' ? (*aggregate = mill_null(), 0) : concatenate(*aggregate, ".", value, aggregate, context);
    case 2:
        return of_number(sum(catalogue_to_number(*aggregate), number), aggregate, context);
    case 3:
        return of_number(sum(catalogue_to_number(*aggregate), -number), aggregate, context);
    default:
        return concatenate(value, "", key, aggregate, context);
    }
}

int catalogue_merge(mill_bytes key, mill_bytes *aggregate, mill_bytes other, mill_context *context, void *ctx)
{
    switch (number_of(ctx) / 64) {
    case 0:
        return concatenate(*aggregate, "|", other, aggregate, context);
    case 1:
        return of_number(sum(catalogue_to_number(*aggregate), catalogue_to_number(other)), aggregate, context);
    default:
        if (first(other) == 'd')
            *aggregate = mill_null();
        else if (mill_bytes_compare(*aggregate, other) < 0)
            *aggregate = other;
        return 0;
    }
}

int catalogue_join(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    switch (number_of(ctx)) {
    case 0:
        return concatenate(left, "+", right, result, context);
    case 1:
        *result = left;
        return 0;
    case 2:
        *result = right;
        return 0;
    case 3:
        return is_odd(first(left)) ? 0 : concatenate(left, "&", right, result, context);
    default:
        return concatenate(key, "/", right, result, context);
    }
}
