/*
 * How fast is this machine right now?
 *
 * A shared core flips between full and half speed for seconds to minutes, so a rate alone says little: each sample of a benchmark
 * is taken between two calibrations and judged by its ratio to them. Three loops of 0.1 s each, on the calling thread.
 *
 * The reference is the machine on which the ceilings were measured (2 vCPU AMD EPYC Zen 5): its speed is 1.
 */
#ifndef BENCH_CALIBRATE_H
#define BENCH_CALIBRATE_H

struct calibration {
    double crc_bytes_per_second;    /* our crc32c over 16 KiB in L1: bound by throughput, and what a busy neighbour halves */
    double memcpy_bytes_per_second; /* 64 KiB in L2 */
    double mixes_per_second;        /* multiplications that wait for one another: bound by latency, steady */
};

void calibrate(struct calibration *calibration);

/* The speed as a part of the reference machine's: that of the CRC, which tells a slow phase best. */
double calibration_speed(const struct calibration *calibration);

#endif
