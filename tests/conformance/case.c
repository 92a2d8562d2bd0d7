#include "conformance/case.h"

#include <inttypes.h>
#include <string.h>

#include "conformance/operators.h"

mill_bytes case_word_bytes(const struct case_word *word)
{
    return word->is_null ? mill_null() : mill_string(word->text);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static void print_node(const struct test_case *test, size_t at, FILE *to)
{
    const struct case_node *node = &test->nodes[at];
    const struct operator_type *type = node_operator(node);
    fprintf(to, "node %zu %s ", at, type->name);
    size_t inputs = operator_inputs(type);
    for (size_t i = 0; i < inputs; i++)
        fprintf(to, "%s%zu", i > 0 ? "," : "", node->inputs[i]);
    fputs(inputs == 0 ? "-" : "", to);
    for (size_t i = 0; i < operator_parameters(type); i++)
        fprintf(to, " %" PRId64, node->parameters[i]);
    fputs("\n", to);
}

static void print_word(const struct case_word *word, FILE *to)
{
    fprintf(to, word->is_null ? " ~" : " '%s", word->text);
}

static void print_event(const struct case_event *event, FILE *to)
{
    if (event->is_advance) {
        fprintf(to, "advance %" PRId64 "\n", event->time_ms);
        return;
    }
    fprintf(to, "record %d", event->topic);
    print_word(&event->key, to);
    print_word(&event->value, to);
    fprintf(to, " %" PRId64 "\n", event->time_ms);
}

void case_print(const struct test_case *test, FILE *to)
{
    fprintf(to, "case %" PRIu64 " cache=%d memory=%d\n", test->number, test->cache, test->memory);
    for (size_t i = 0; i < test->node_count; i++)
        print_node(test, i, to);
    for (size_t i = 0; i < test->event_count; i++)
        print_event(&test->events[i], to);
    fputs("end\n", to);
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static bool read_node(const char *line, struct test_case *test)
{
    char name[32], inputs[32];
    size_t number;
    int used = 0;
    if (test->node_count == CASE_NODES_MAX || sscanf(line, "node %zu %31s %31s%n", &number, name, inputs, &used) != 3)
        return false;
    struct case_node *node = &test->nodes[test->node_count];
    *node = (struct case_node){ .type = operator_named(name) };
    if (number != test->node_count || node->type == OPERATOR_COUNT)
        return false;
    test->node_count++;
    const char *at = inputs;
    int length = 0;
    for (size_t i = 0; i < operator_inputs(node_operator(node)); i++, at += length)
        if (sscanf(at, i == 0 ? "%zu%n" : ",%zu%n", &node->inputs[i], &length) != 1)
            return false;
    at = line + used;
    for (size_t i = 0; i < operator_parameters(node_operator(node)); i++, at += length)
        if (sscanf(at, " %" SCNd64 "%n", &node->parameters[i], &length) != 1)
            return false;
    return true;
}

static bool read_word(const char *text, struct case_word *word)
{
    *word = (struct case_word){ .is_null = strcmp(text, "~") == 0 };
    if (word->is_null)
        return true;
    if (text[0] != '\'' || strlen(text) > CASE_WORD_MAX + 1)
        return false;
    memcpy(word->text, text + 1, strlen(text));
    return true;
}

static bool read_event(const char *line, struct test_case *test)
{
    if (test->event_count == CASE_EVENTS_MAX)
        return false;
    struct case_event *event = &test->events[test->event_count++];
    *event = (struct case_event){ .is_advance = strncmp(line, "advance ", 8) == 0 };
    if (event->is_advance)
        return sscanf(line, "advance %" SCNd64, &event->time_ms) == 1;
    char key[16], value[16];
    return sscanf(line, "record %d %15s %15s %" SCNd64, &event->topic, key, value, &event->time_ms) == 4 &&
           read_word(key, &event->key) && read_word(value, &event->value);
}

static bool read_line(const char *line, struct test_case *test)
{
    return strncmp(line, "node ", 5) == 0 ? read_node(line, test) : read_event(line, test);
}

int case_read(FILE *from, struct test_case *test)
{
    char line[256];
    int cache = 0, memory = 0;
    *test = (struct test_case){ 0 };
    do {
        if (fgets(line, sizeof line, from) == NULL)
            return 0;
    } while (sscanf(line, "case %" SCNu64 " cache=%d memory=%d", &test->number, &cache, &memory) != 3);
    test->cache = cache != 0;
    test->memory = memory != 0;
    while (fgets(line, sizeof line, from) != NULL) {
        if (strcmp(line, "end\n") == 0 && case_is_well_formed(test))
            return 1;
        if (!read_line(line, test)) {
            fprintf(stderr, "not a line of a case: %s", line);
            return -1;
        }
    }
    fprintf(stderr, "a case that does not end, or whose nodes do not fit\n");
    return -1;
}
