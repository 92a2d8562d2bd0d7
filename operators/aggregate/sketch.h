/*
 * HyperLogLog: how many different members a stream has had, about, in at most 3 KiB.
 *
 * A member's hash picks one of 4096 registers by its first 12 bits, and the register keeps the largest rank seen: one more than
 * the number of zeros that the other 52 bits begin with. Equal members change nothing, sketches of two streams are united
 * register by register. The estimate (Ertl's improved one) has a standard error of 1.04 / 64 = 1.63 % of the count: it is within
 * 3.3 % in 95 of 100 cases, within 5 % in 99.8. Small counts are exact but where two members have one register: with n of them in
 * about n * n of 8,192 cases.
 *
 *     sparse   1 (1) | { register 12 bits, rank 12 bits } ...        ascending by register; up to 340 of them
 *     dense    2 (1) | rank 6 bits ... (3072)                        four in three bytes, the first in the upper bits
 *
 * The hash is XXH3 without a seed: sketches live longer than a process, and those of several partitions can be united.
 */
#ifndef AGGREGATE_SKETCH_H
#define AGGREGATE_SKETCH_H

#include "millstream/bytes.h"

enum {
    SKETCH_REGISTERS = 4096,
    SKETCH_SPARSE_MAX = 340,
    SKETCH_DENSE_BYTES = 1 + SKETCH_REGISTERS / 4 * 3,
    SKETCH_BYTES_MAX = SKETCH_DENSE_BYTES
};

/* False: not of this form. Null is the empty sketch. */
bool sketch_check(mill_bytes sketch);

/*
 * `sketch` with `member`, in `room` (SKETCH_BYTES_MAX); `sketch` itself when it has it. The caller has checked it.
 */
mill_bytes sketch_add(mill_bytes sketch, mill_bytes member, uint8_t *room);

/* Both, in `room`, which is neither's. */
mill_bytes sketch_unite(mill_bytes a, mill_bytes b, uint8_t *room);

int64_t sketch_estimate(mill_bytes sketch);

#endif
