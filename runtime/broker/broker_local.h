/*
 * The in-process connection: requests from another thread of this process, as structs, without sockets, codecs or copies.
 *
 * A client opens an endpoint with a number of credits; a request spends one and its answer gives it back, so the queue to the
 * broker and the queue of answers both have a slot for every message and never block or drop. Record bytes travel both ways as
 * held slices (base/shared_buffer.h).
 *
 *     caller's loop                           broker's loop
 *     broker_local_send -> [requests] ------> broker_submit
 *     on_response       <- [responses] <----- reply
 *
 * Group members that join through here are dropped when the broker loads its groups after a restart: their process is gone.
 *
 * Thread: all functions on the caller's loop, which outlives the endpoint. Progress needs the broker's loop to run.
 */
#ifndef BROKER_BROKER_LOCAL_H
#define BROKER_BROKER_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/broker.h"
#include "io/io.h"
#include "wire/message.h"

struct broker_local;

/* All endpoints of a broker together: it bounds the queue of requests. */
enum { BROKER_LOCAL_CREDITS_MAX = 4096 };

/*
 * `on_response` is called on `loop` once for every request sent, in the order of completion; response.error is MILL_ECLOSED when
 * the broker has closed. Returns 0; MILL_ENOMEM: no memory, or BROKER_LOCAL_CREDITS_MAX would be exceeded.
 */
int broker_local_open(struct broker *broker, struct loop *loop, size_t credits,
                      void (*on_response)(void *ctx, struct request *request, struct io_time now), void *ctx,
                      struct broker_local **local);

/*
 * Gives the request away until on_response; request->holder is the endpoint's meanwhile. False, and the request stays the
 * caller's, when no credit is left: send again after the next on_response.
 */
bool broker_local_send(struct broker_local *local, struct request *request);

size_t broker_local_credits(const struct broker_local *local);

/* Requests in flight are answered at once; after the last on_response comes `closed`, and the endpoint is gone. */
void broker_local_close(struct broker_local *local, void (*closed)(void *ctx), void *ctx);

#endif
