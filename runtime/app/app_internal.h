/* What mill_main needs of an application beside its public face. */
#ifndef APP_APP_INTERNAL_H
#define APP_APP_INTERNAL_H

#include <stdatomic.h>

#include "base/config.h"
#include "millstream/app.h"

/* Waits until `*until` is set (and app_wake called), or the application has stopped by itself. The thread that made it. */
void app_wait(mill_app *app, const atomic_bool *until);
void app_wake(mill_app *app); /* any thread */

#endif
