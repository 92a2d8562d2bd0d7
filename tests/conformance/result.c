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

void result_leave_out(struct result *result, const bool topics[])
{
    size_t count = 0;
    for (size_t i = 0; i < result->count; i++) {
        struct result_output output = result->outputs[i];
        if (topics[output.topic]) {
            free(output.key);
            free(output.value);
        } else {
            result->outputs[count++] = output;
        }
    }
    result->count = count;
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

static size_t first_of(const struct result *result, int event)
{
    size_t low = 0, high = result->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (result->outputs[middle].event < event)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* By topic, then key, then as they came out: outputs of one event lie in one array. */
static int compare_outputs(const void *left, const void *right)
{
    const struct result_output *a = *(const struct result_output *const *)left;
    const struct result_output *b = *(const struct result_output *const *)right;
    if (a->topic != b->topic)
        return a->topic < b->topic ? -1 : 1;
    int order = strcmp(a->key, b->key);
    return order != 0 ? order : (a > b) - (a < b);
}

static const struct result_output **sorted(const struct result *result, size_t from, size_t count)
{
    const struct result_output **outputs = or_die(malloc(count * sizeof *outputs + 1));
    for (size_t i = 0; i < count; i++)
        outputs[i] = &result->outputs[from + i];
    qsort(outputs, count, sizeof *outputs, compare_outputs);
    return outputs;
}

static bool output_equal(const struct result_output *a, const struct result_output *b)
{
    return a->topic == b->topic && a->timestamp_ms == b->timestamp_ms && strcmp(a->key, b->key) == 0 &&
           strcmp(a->value, b->value) == 0;
}

static bool event_equal(const struct result *a, const struct result *b, int event)
{
    size_t from_a = first_of(a, event), from_b = first_of(b, event);
    size_t count = first_of(a, event + 1) - from_a;
    if (count != first_of(b, event + 1) - from_b)
        return false;
    const struct result_output **outputs_a = sorted(a, from_a, count), **outputs_b = sorted(b, from_b, count);
    bool equal = true;
    for (size_t i = 0; equal && i < count; i++)
        equal = output_equal(outputs_a[i], outputs_b[i]);
    free(outputs_a);
    free(outputs_b);
    return equal;
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
