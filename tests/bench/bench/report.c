/* Clocks, the choice of the median, one line of print. */
#include "bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/assert.h"
#include "bench/calibrate.h"

/* Below this part of the best speed seen a sample says more about the neighbours than about us. */
#define SPEED_KEPT 0.9

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

double bench_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

uint64_t bench_peak_rss_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

static double speed_now(void)
{
    struct calibration calibration;
    calibrate(&calibration);
    return calibration_speed(&calibration);
}

void report_init(struct report *report, const char *name, const char *shape, double ceiling_records_per_second)
{
    *report = (struct report){
        .name = name, .shape = shape, .ceiling_records_per_second = ceiling_records_per_second, .disk_speed = 1
    };
}

void report_begin(struct report *report)
{
    mill_assert(report->count < REPORT_SAMPLES_MAX);
    struct sample *sample = &report->samples[report->count];
    sample->speed = speed_now();
    report_restart(report);
}

void report_restart(struct report *report)
{
    struct sample *sample = &report->samples[report->count];
    sample->cpu_seconds = bench_cpu_seconds();
    sample->seconds = bench_seconds();
}

void report_end(struct report *report, uint64_t records, uint64_t bytes)
{
    struct sample *sample = &report->samples[report->count++];
    sample->seconds = bench_seconds() - sample->seconds;
    sample->cpu_seconds = bench_cpu_seconds() - sample->cpu_seconds;
    sample->records = records;
    sample->bytes = bytes;
    double speed = speed_now();
    if (speed < sample->speed)
        sample->speed = speed;
}

static int by_rate(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    double rate_x = (double)x->records / x->seconds;
    double rate_y = (double)y->records / y->seconds;
    return rate_x < rate_y ? -1 : rate_x > rate_y;
}

/* Copies the samples worth keeping, slowest first; returns how many. */
static size_t kept_samples(const struct report *report, struct sample *kept)
{
    double best = 0;
    for (size_t i = 0; i < report->count; i++)
        best = report->samples[i].speed > best ? report->samples[i].speed : best;
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        if (report->samples[i].speed >= SPEED_KEPT * best)
            kept[count++] = report->samples[i];
    qsort(kept, count, sizeof *kept, by_rate);
    return count;
}

/* The slower of processor and disk decides, and neither counts as faster than the reference machine's. */
static double part_of(double reference_rate, const struct report *report, const struct sample *sample)
{
    double speed = sample->speed < report->disk_speed ? sample->speed : report->disk_speed;
    return (double)sample->records / sample->seconds / (reference_rate * (speed < 1 ? speed : 1));
}

static void print_parts(const struct report *report, const struct sample *sample)
{
    if (report->disk_speed != 1)
        printf("  disk %.2f", report->disk_speed);
    if (report->ceiling_records_per_second > 0)
        printf("  %3.0f %% of the ceiling %.1f M/s", 100 * part_of(report->ceiling_records_per_second, report, sample),
               report->ceiling_records_per_second * 1e-6);
    if (report->bar_records_per_second > 0)
        printf("  %.2f times the bar %.1f M/s", part_of(report->bar_records_per_second, report, sample),
               report->bar_records_per_second * 1e-6);
}

void report_print(const struct report *report)
{
    struct sample kept[REPORT_SAMPLES_MAX];
    size_t count = kept_samples(report, kept);
    mill_assert(count > 0);
    const struct sample *median = &kept[count / 2], *slowest = &kept[0], *fastest = &kept[count - 1];
    double records = (double)median->records;
    printf(
        "%-34s %8.2f M records/s [%.2f..%.2f, n=%zu]  %8.1f MB/s  %7.1f ns CPU/record  %6.2f s CPU  %5.0f MiB peak  speed %.2f",
        report->name, records / median->seconds * 1e-6, (double)slowest->records / slowest->seconds * 1e-6,
        (double)fastest->records / fastest->seconds * 1e-6, count, (double)median->bytes / median->seconds * 1e-6,
        median->cpu_seconds / records * 1e9, median->cpu_seconds, (double)bench_peak_rss_bytes() / (1 << 20), median->speed);
    print_parts(report, median);
    printf("  (%s)\n", report->shape);
    fflush(stdout);
}
