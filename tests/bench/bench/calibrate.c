/* The three loops. */
#include "bench/calibrate.h"

#include <stdint.h>
#include <string.h>

#include "base/crc32c.h"
#include "bench/report.h"

/* Of the reference machine, quiet. */
#define REFERENCE_CRC_BYTES_PER_SECOND 29e9

#define LOOP_SECONDS 0.1

enum { CRC_BYTES = 16 * 1024, COPY_BYTES = 64 * 1024 };

static uint8_t from[COPY_BYTES];
static uint8_t to[COPY_BYTES];

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static void crc_some(void)
{
    for (int i = 0; i < 100; i++)
        bench_keep(crc32c(0, from, CRC_BYTES));
}

static void copy_some(void)
{
    for (int i = 0; i < 100; i++) {
        memcpy(to, from, COPY_BYTES);
        bench_keep(to[0]);
    }
}

static void mix_some(void)
{
    static uint64_t x = 1;
    for (int i = 0; i < 100000; i++)
        x = mix(x);
    bench_keep(x);
}

/* How often a second. */
static double rate_of(void (*some)(void))
{
    double start = bench_seconds();
    double elapsed = 0;
    uint64_t calls = 0;
    for (; elapsed < LOOP_SECONDS; elapsed = bench_seconds() - start, calls++)
        some();
    return (double)calls / elapsed;
}

void calibrate(struct calibration *calibration)
{
    calibration->crc_bytes_per_second = rate_of(crc_some) * 100 * CRC_BYTES;
    calibration->memcpy_bytes_per_second = rate_of(copy_some) * 100 * COPY_BYTES;
    calibration->mixes_per_second = rate_of(mix_some) * 100000;
}

double calibration_speed(const struct calibration *calibration)
{
    return calibration->crc_bytes_per_second / REFERENCE_CRC_BYTES_PER_SECOND;
}
