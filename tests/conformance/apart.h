/*
 * Work in a process of its own, so that who dies there is noticed: a crash, a failed assertion and a sanitizer's word end no run
 * well.
 */
#ifndef CONFORMANCE_APART_H
#define CONFORMANCE_APART_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { APART_TEXT_BYTES = 96 };

/* Zeros, in memory that processes started later share with this one. Ends the program where there is none. */
void *apart_shared(size_t size);

/* Starts work(ctx) in another process. Ends the program where there is none to be had. */
pid_t apart_start(void (*work)(void *ctx), void *ctx);

/* Waits for its end. False: it did not return from its work; `how` says what became of it. */
bool apart_end(pid_t process, char how[APART_TEXT_BYTES]);

#endif
