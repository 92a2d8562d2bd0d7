/* What the operations of administration have in common; see admin_internal.h. */
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "client/admin_internal.h"
#include "wire/kafka_error.h"

static void admin_free(struct admin_operation *operation)
{
    client_cancel(&operation->call);
    loop_timer_cancel(client_loop(operation->client), &operation->timer);
    client_unlisten(&operation->listener);
    offset_lookup_cancel(operation->lookup);
    arena_release(&operation->arena);
    mem_free(operation);
}

void admin_cancel(struct admin_operation *operation)
{
    if (operation)
        admin_free(operation);
}

static void on_timer(struct loop_timer *timer, struct io_time now)
{
    struct admin_operation *operation = timer->ctx;
    char broker[300];
    char why[ERROR_TEXT_BYTES];
    if (!operation->awaits_metadata) {
        operation->step(operation, now);
        return;
    }
    client_connected(operation->client, broker, sizeof broker, why, sizeof why);
    admin_fail(operation, MILL_ETIMEOUT, now, "no metadata came in time from %.300s%s%.400s", broker, why[0] ? ": " : "", why);
}

static void on_metadata(void *ctx, int code, const char *text, struct io_time now)
{
    struct admin_operation *operation = ctx;
    client_unlisten(&operation->listener);
    operation->awaits_metadata = false;
    loop_timer_cancel(client_loop(operation->client), &operation->timer);
    if (code == 0 || now.monotonic_us < operation->deadline_us)
        admin_step_again(operation);
    else
        admin_fail(operation, code, now, "%s", text);
}

void *admin_new(struct client *client, size_t size, void (*step)(struct admin_operation *operation, struct io_time now),
                void (*finish)(struct admin_operation *operation, struct io_time now), void *ctx)
{
    struct admin_operation *operation = mem_calloc(1, size);
    if (!operation)
        return NULL;
    int64_t now_us = loop_now(client_loop(client)).monotonic_us;
    operation->client = client;
    operation->step = step;
    operation->finish = finish;
    operation->ctx = ctx;
    operation->call.ctx = operation;
    operation->deadline_us = now_us + client_get_options(client)->default_api_timeout_ms * 1000;
    operation->timer = (struct loop_timer){ .fire = on_timer, .ctx = operation };
    operation->listener = (struct metadata_listener){ .changed = on_metadata, .ctx = operation };
    list_init(&operation->listener.link);
    arena_init(&operation->arena, 4096, ADMIN_ARENA_BYTES_MAX);
    admin_step_again(operation);
    return operation;
}

void admin_send(struct admin_operation *operation, struct route route)
{
    int64_t left_ms = (operation->deadline_us - loop_now(client_loop(operation->client)).monotonic_us) / 1000;
    int64_t request_ms = client_get_options(operation->client)->request_timeout_ms;
    operation->call.timeout_ms = left_ms < 1 ? 1 : left_ms < request_ms ? left_ms : request_ms;
    client_call(operation->client, &operation->call, route);
}

void admin_step_again(struct admin_operation *operation)
{
    struct loop *loop = client_loop(operation->client);
    loop_timer_set(loop, &operation->timer, loop_now(loop).monotonic_us);
}

void admin_finish(struct admin_operation *operation, struct io_time now)
{
    client_unlisten(&operation->listener);
    operation->finish(operation, now);
    admin_free(operation);
}

void admin_note(struct admin_operation *operation, int code, const char *format, ...)
{
    if (operation->code != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(operation->error.text, sizeof operation->error.text, format, arguments);
    va_end(arguments);
    operation->code = code;
}

void admin_fail(struct admin_operation *operation, int code, struct io_time now, const char *format, ...)
{
    struct error_text text;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text.text, sizeof text.text, format, arguments);
    va_end(arguments);
    admin_note(operation, code, "%s", text.text);
    admin_finish(operation, now);
}

void admin_retry(struct admin_operation *operation, int code, const char *text, struct io_time now)
{
    int64_t at_us = now.monotonic_us + client_retry_backoff_us(operation->client, operation->attempts++);
    if (at_us >= operation->deadline_us) {
        admin_fail(operation, code, now, "%s", text);
        return;
    }
    client_refresh(operation->client);
    loop_timer_set(client_loop(operation->client), &operation->timer, at_us);
}

void admin_unanswered(struct admin_operation *operation, const struct answer *answer, struct io_time now)
{
    bool helpless = answer->code == MILL_EUNSUPPORTED || answer->code == MILL_EACCESS || answer->code == MILL_EINVALID ||
                    answer->code == MILL_ETOOLARGE;
    if (helpless)
        admin_fail(operation, answer->code, now, "%s", answer->text);
    else
        admin_retry(operation, answer->code, answer->text, now);
}

void admin_await_metadata(struct admin_operation *operation)
{
    client_refresh(operation->client);
    client_unlisten(&operation->listener);
    client_listen(operation->client, &operation->listener);
    operation->awaits_metadata = true;
    loop_timer_set(client_loop(operation->client), &operation->timer, operation->deadline_us);
}

const char *admin_string(struct admin_operation *operation, mill_bytes text)
{
    char *copy = mill_is_null(text) ? NULL : arena_string(&operation->arena, text);
    return copy ? copy : "";
}

const char *admin_error_text(struct admin_operation *operation, int16_t error, mill_bytes message)
{
    char text[ERROR_TEXT_BYTES];
    if (error == 0)
        return "";
    if (mill_is_null(message) || message.len == 0)
        return kafka_error_text(error);
    snprintf(text, sizeof text, "%s; the broker says: %.*s", kafka_error_text(error), (int)message.len,
             (const char *)message.data);
    return admin_string(operation, mill_string(text));
}
