/*
 * Traffic for page_views: lines of an access log on standard output, as a busy site would write them.
 *
 *     page_views_traffic [--rate LINES] [--count LINES] [--seed N] [--pages N] [--clients N]
 *
 * Pages and clients are drawn by Zipf's law (the second is half as frequent as the first, ...). One line in a hundred comes
 * some seconds late, one in a thousand is broken, as in real logs. With --rate the lines come at that pace per second, at the
 * time they bear; at 0 they come as fast as they can, a thousand to a second of their own time. --count 0 goes on until the
 * reader leaves. The same seed gives the same visits.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <time.h>

#include "options.h"

enum { LATE_SECONDS_MAX = 20, TICKS_PER_SECOND = 50, UNPACED_RATE = 1000, SECOND_NS = 1000000000 };

struct zipf {
    double *cumulative;
    size_t count;
};

/* xorshift64*, enough for traffic. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

static struct zipf zipf_new(size_t count)
{
    struct zipf zipf = { calloc(count, sizeof *zipf.cumulative), count };
    if (zipf.cumulative == NULL) {
        fprintf(stderr, "no memory for %zu names\n", count);
        exit(1);
    }
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        zipf.cumulative[i] = sum += 1.0 / (double)(i + 1);
    return zipf;
}

static size_t zipf_draw(const struct zipf *zipf, uint64_t *state)
{
    double target = (double)(draw(state) >> 11) / (double)(1ull << 53) * zipf->cumulative[zipf->count - 1];
    size_t low = 0;
    size_t high = zipf->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zipf->cumulative[middle] < target)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct traffic {
    struct zipf pages;
    struct zipf clients;
    uint64_t state;
    int64_t rate;  /* lines per second, 0: no pace */
    int64_t count; /* INT64_MAX: without an end */
};

static void print_line(struct traffic *traffic, time_t now)
{
    uint64_t *state = &traffic->state;
    static const char *const SECTIONS[] = { "", "news/", "shop/", "blog/", "docs/", "people/" };
    uint64_t dice = draw(state) % 1000;
    if (dice == 0) {
        puts("\\x16\\x03\\x01 a handshake that no web server understands");
        return;
    }
    time_t at = now - (dice <= 10 ? (time_t)(draw(state) % LATE_SECONDS_MAX) : 0);
    size_t page = zipf_draw(&traffic->pages, state);
    size_t client = zipf_draw(&traffic->clients, state);
    static time_t text_of = -1;
    static char text[32];
    if (at != text_of) {
        struct tm utc;
        strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S +0000", gmtime_r(&at, &utc));
        text_of = at;
    }
    char path[48] = "";
    if (page > 0)
        snprintf(path, sizeof path, "%s%zu.html", SECTIONS[page % 6], page);
    printf("10.%zu.%zu.%zu - - [%s] \"GET /%s%s HTTP/1.1\" %d %" PRIu64 " \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n",
           client >> 16 & 255, client >> 8 & 255, client & 255, text, path, dice % 5 == 0 ? "?from=mail" : "",
           dice % 50 == 1 ? 404 : 200, 500 + draw(state) % 50000);
}

static struct timespec after(struct timespec time, int64_t ns)
{
    ns += time.tv_nsec;
    return (struct timespec){ time.tv_sec + ns / SECOND_NS, ns % SECOND_NS };
}

/* False: the reader has left. */
static bool write_traffic(struct traffic *traffic)
{
    struct timespec start;
    time_t first = time(NULL);
    int64_t written = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int64_t ticks = 1; written < traffic->count && !ferror(stdout); ticks++) {
        int64_t due = traffic->rate == 0 ? written + UNPACED_RATE : ticks * traffic->rate / TICKS_PER_SECOND;
        for (; written < due && written < traffic->count; written++)
            print_line(traffic, first + written / (traffic->rate == 0 ? UNPACED_RATE : traffic->rate));
        if (traffic->rate > 0 && fflush(stdout) == 0) {
            struct timespec tick = after(start, ticks * (SECOND_NS / TICKS_PER_SECOND));
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &tick, NULL);
        }
    }
    return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    int64_t rate = take_number(&argc, argv, "--rate", 1000, 10000000, "lines a second; 0: as fast as it can");
    int64_t count = take_number(&argc, argv, "--count", 0, INT64_MAX, "lines in all; 0: until it is stopped");
    uint64_t seed = (uint64_t)take_number(&argc, argv, "--seed", 1, INT32_MAX, "another seed, other lines");
    size_t pages = (size_t)take_number(&argc, argv, "--pages", 2000, 1 << 24, "how many pages there are") + 1;
    size_t clients = (size_t)take_number(&argc, argv, "--clients", 20000, 1 << 24, "how many clients there are") + 1;
    if (asks_for_help(argc, argv))
        return 0;
    if (argc > 1) {
        fprintf(stderr, "usage: %s [--rate LINES] [--count LINES] [--seed N] [--pages N] [--clients N]\n", argv[0]);
        return 2;
    }
    struct traffic traffic = { .pages = zipf_new(pages),
                               .clients = zipf_new(clients),
                               .state = 0x9e3779b97f4a7c15ull * (seed + 1),
                               .rate = rate,
                               .count = count == 0 ? INT64_MAX : count };
    bool done = write_traffic(&traffic);
    free(traffic.pages.cumulative);
    free(traffic.clients.cumulative);
    return done ? 0 : 1;
}
