#include "conformance/result.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void result_init(struct result *result, uint64_t number)
{
    *result = (struct result){ .number = number, .error_event = RESULT_EVENT_NONE };
}

void result_release(struct result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        free(result->outputs[i].key);
        free(result->outputs[i].value);
    }
    free(result->outputs);
    *result = (struct result){ 0 };
}

static void *or_die(void *block)
{
    if (block == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return block;
}

void result_add(struct result *result, int event, int topic, const char *key, const char *value, int64_t timestamp_ms)
{
    if (result->count == result->capacity) {
        result->capacity = result->capacity * 2 + 64;
        result->outputs = or_die(realloc(result->outputs, result->capacity * sizeof *result->outputs));
    }
    result->outputs[result->count++] =
        (struct result_output){ event, topic, or_die(strdup(key)), or_die(strdup(value)), timestamp_ms };
}

char *result_print_bytes(const uint8_t *data, size_t len)
{
    char *text = or_die(malloc(len * 3 + 2));
    char *at = text;
    *at++ = data == NULL ? '~' : '\'';
    for (size_t i = 0; i < len; i++) {
        if (data[i] > ' ' && data[i] < 0x7f && data[i] != '%')
            *at++ = (char)data[i];
        else
            at += sprintf(at, "%%%02X", data[i]);
    }
    *at = '\0';
    return text;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------- */

static bool output_equal(const struct result_output *a, const struct result_output *b)
{
    return a->timestamp_ms == b->timestamp_ms && strcmp(a->value, b->value) == 0;
}

/* The next output from `at` on of this event, topic and key; NULL: none. */
static const struct result_output *next_like(const struct result *result, size_t *at, const struct result_output *like)
{
    for (; *at < result->count; (*at)++) {
        const struct result_output *output = &result->outputs[*at];
        if (output->event > like->event)
            return NULL;
        if (output->event == like->event && output->topic == like->topic && strcmp(output->key, like->key) == 0) {
            (*at)++;
            return output;
        }
    }
    return NULL;
}

static size_t first_of(const struct result *result, int event)
{
    size_t at = 0;
    while (at < result->count && result->outputs[at].event < event)
        at++;
    return at;
}

/* Each key of `a` from `from` on, in this event, has the same outputs in `b`. */
static bool event_contained(const struct result *a, const struct result *b, int event)
{
    size_t first_a = first_of(a, event), first_b = first_of(b, event);
    for (size_t i = first_a; i < a->count && a->outputs[i].event == event; i++) {
        size_t at = first_a, earlier = i;
        if (next_like(a, &at, &a->outputs[i]) != &a->outputs[earlier])
            continue; /* the key has been compared */
        size_t at_a = first_a, at_b = first_b;
        const struct result_output *output_a, *output_b;
        do {
            output_a = next_like(a, &at_a, &a->outputs[i]);
            output_b = next_like(b, &at_b, &a->outputs[i]);
            if ((output_a == NULL) != (output_b == NULL))
                return false;
        } while (output_a != NULL && output_equal(output_a, output_b));
        if (output_a != NULL)
            return false;
    }
    return true;
}

static bool event_equal(const struct result *a, const struct result *b, int event)
{
    return event_contained(a, b, event) && event_contained(b, a, event);
}

static int last_event(const struct result *result)
{
    return result->count == 0 ? -1 : result->outputs[result->count - 1].event;
}

bool result_equal(const struct result *ours, const struct result *theirs, int *event)
{
    int last = last_event(ours) > last_event(theirs) ? last_event(ours) : last_event(theirs);
    bool failed = ours->error_event != RESULT_EVENT_NONE || theirs->error_event != RESULT_EVENT_NONE;
    if (failed)
        last = last > ours->error_event ? last : ours->error_event;
    if (failed)
        last = last > theirs->error_event ? last : theirs->error_event;
    for (*event = -1; *event <= last; (*event)++) {
        if (ours->error_event == *event || theirs->error_event == *event)
            return ours->error_event == theirs->error_event;
        if (!event_equal(ours, theirs, *event))
            return false;
    }
    return true;
}

void result_print_event(const struct result *result, int event, const char *prefix, FILE *to)
{
    for (size_t i = first_of(result, event); i < result->count && result->outputs[i].event == event; i++) {
        const struct result_output *output = &result->outputs[i];
        fprintf(to, "%s out%d %s=%s@%" PRId64 "\n", prefix, output->topic, output->key, output->value, output->timestamp_ms);
    }
    if (result->error_event == event)
        fprintf(to, "%s error: %s\n", prefix, result->error);
}
