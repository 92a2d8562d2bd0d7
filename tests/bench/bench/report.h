/*
 * How benchmarks measure and print, so that all report alike.
 *
 *     struct report report;
 *     report_init(&report, "filter and map", "1 partition, batches of 64 KiB", 40e6);
 *     for (int i = 0; i < BENCH_SAMPLES; i++) {
 *         report_begin(&report);
 *         ... the work ...
 *         report_end(&report, records, bytes);
 *     }
 *     report_print(&report);
 *
 * prints the median sample: records/s, MB/s, CPU nanoseconds a record, CPU seconds of the process, its peak memory, and the part
 * of the ceiling that it reaches: its rate divided by the ceiling at the speed that the machine had just then (calibrate.h, and
 * for work that waits for the disk disk.h). Samples taken while the machine was below 90 % of its best are left out.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_SAMPLES = 7, REPORT_SAMPLES_MAX = 64 };

struct sample {
    uint64_t records;
    uint64_t bytes;
    double seconds;
    double cpu_seconds; /* user and system, all threads */
    double speed;       /* of the machine, 1 for the reference */
};

struct report {
    const char *name;
    const char *shape;                 /* what the figure depends on: partitions, connections, batch size, ... */
    double ceiling_records_per_second; /* on the reference machine; 0: none is known */
    double bar_records_per_second;     /* what it has to reach on the reference machine; 0: nothing is asked */
    double disk_speed;                 /* 1 unless the work waits for the disk; set it before the first sample */
    struct sample samples[REPORT_SAMPLES_MAX];
    size_t count;
};

void report_init(struct report *report, const char *name, const char *shape, double ceiling_records_per_second);

/* Calibrates (0.3 s), then starts the clocks. */
void report_begin(struct report *report);

/* Starts the clocks anew: what was done since report_begin is not measured. */
void report_restart(struct report *report);

/* Stops the clocks, then calibrates again: the sample's speed is the slower of the two. */
void report_end(struct report *report, uint64_t records, uint64_t bytes);

void report_print(const struct report *report);

/* Monotonic time and the CPU time of the process, in seconds. */
double bench_seconds(void);
double bench_cpu_seconds(void);

/* The most memory that the process ever had resident. */
uint64_t bench_peak_rss_bytes(void);

/* Makes the compiler believe that `value` is used. */
static inline void bench_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

#endif
