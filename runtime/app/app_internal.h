/* What mill_main needs of an application beside its public face. */
#ifndef APP_APP_INTERNAL_H
#define APP_APP_INTERNAL_H

#include <stdatomic.h>

#include "base/config.h"
#include "millstream/app.h"

/* Waits until `*until` is set (and app_wake called), or the application has stopped by itself. The thread that made it. */
void app_wait(mill_app *app, const atomic_bool *until);
void app_wake(mill_app *app); /* any thread */

/* Any thread. app_ask: the query goes to the i-th stream thread; MILL_EAGAIN: not running, or too many wait; MILL_ECLOSED. */
struct store_query;
bool app_has_store(const mill_app *app, const char *store);
size_t app_thread_count(const mill_app *app);
int app_ask(mill_app *app, size_t thread, struct store_query *query);

#endif
