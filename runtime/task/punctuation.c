#include "task/punctuation.h"

#include "base/alloc.h"
#include "base/saturate.h"

void punctuation_init(struct punctuation *punctuation)
{
    list_init(&punctuation->punctuators);
    punctuation->next_stream_ms = INT64_MAX;
    punctuation->next_wall_ms = INT64_MAX;
    punctuation->firing = false;
}

static void find_next(struct punctuation *punctuation)
{
    punctuation->next_stream_ms = INT64_MAX;
    punctuation->next_wall_ms = INT64_MAX;
    list_for_each (node, &punctuation->punctuators) {
        mill_punctuator *punctuator = list_entry(node, mill_punctuator, link);
        int64_t *next =
            punctuator->type == MILL_PUNCTUATE_STREAM_TIME ? &punctuation->next_stream_ms : &punctuation->next_wall_ms;
        if (!punctuator->cancelled && punctuator->next_ms < *next)
            *next = punctuator->next_ms;
    }
}

static void remove_cancelled(struct punctuation *punctuation)
{
    list_for_each_safe (node, &punctuation->punctuators) {
        mill_punctuator *punctuator = list_entry(node, mill_punctuator, link);
        if (!punctuator->cancelled)
            continue;
        list_remove(node);
        mem_free(punctuator);
    }
}

void punctuation_release(struct punctuation *punctuation)
{
    struct list *node;
    while ((node = list_pop_front(&punctuation->punctuators)) != NULL)
        mem_free(list_entry(node, mill_punctuator, link));
}

mill_punctuator *punctuation_schedule(struct punctuation *punctuation, mill_context *context, int64_t interval_ms,
                                      mill_punctuation type, int64_t now_ms,
                                      int (*punctuate)(mill_context *context, void *self, int64_t timestamp_ms))
{
    mill_punctuator *punctuator = interval_ms >= 1 ? mem_alloc(sizeof *punctuator) : NULL;
    if (punctuator == NULL)
        return NULL;
    *punctuator = (mill_punctuator){ .context = context, .punctuate = punctuate, .type = type, .interval_ms = interval_ms };
    /* Stream time: the first record, whatever its time, is at or after 0. */
    punctuator->next_ms = type == MILL_PUNCTUATE_STREAM_TIME ? 0 : saturated_sum(now_ms, interval_ms);
    list_push_back(&punctuation->punctuators, &punctuator->link);
    find_next(punctuation);
    return punctuator;
}

void punctuation_cancel(struct punctuation *punctuation, mill_punctuator *punctuator)
{
    punctuator->cancelled = true;
    if (punctuation->firing)
        return;
    remove_cancelled(punctuation);
    find_next(punctuation);
}

/* The first slot of the grid after `time_ms`: slots missed meanwhile are passed over. One beyond all times is none. */
static int64_t next_slot(const mill_punctuator *punctuator, int64_t time_ms)
{
    int64_t last_ms = time_ms - (time_ms - punctuator->next_ms) % punctuator->interval_ms;
    return saturated_sum(last_ms, punctuator->interval_ms);
}

int punctuation_fire(struct punctuation *punctuation, mill_punctuation type, int64_t time_ms,
                     int (*call)(void *ctx, mill_punctuator *punctuator, int64_t time_ms), void *ctx)
{
    int fired = 0;
    int code = 0;
    punctuation->firing = true;
    list_for_each (node, &punctuation->punctuators) {
        mill_punctuator *punctuator = list_entry(node, mill_punctuator, link);
        if (punctuator->type != type || punctuator->cancelled || punctuator->next_ms > time_ms ||
            punctuator->next_ms == INT64_MAX)
            continue;
        punctuator->next_ms = next_slot(punctuator, time_ms);
        code = call(ctx, punctuator, time_ms);
        if (code < 0)
            break;
        fired++;
    }
    punctuation->firing = false;
    remove_cancelled(punctuation);
    find_next(punctuation);
    return code < 0 ? code : fired;
}
