/*
 * A whole installation in one simulated world: a pipeline counts views and visitors per page and minute of four partitions, in a
 * process with the broker inside and, when started, in a second one on another host, while a feeder on a third keeps producing
 * over the network. Tests kill processes, cut power, fail disks and memory, and then ask whether the results are right.
 *
 * A process has memory of its own (sim_memory.h). Killed, it loses it; closed in order, it must have freed every block, which is
 * asserted. A step that never comes to its end within ten minutes of virtual time is a failure.
 */
#ifndef SIMULATION_STREAMS_WORLD_H
#define SIMULATION_STREAMS_WORLD_H

#include "support/cmocka_all.h"

#include "app/local_connector.h"
#include "broker/broker.h"
#include "client/client.h"
#include "client/producer.h"
#include "millstream/millstream.h"
#include "server/server.h"
#include "simulation/sim_disk.h"
#include "simulation/sim_memory.h"
#include "simulation/sim_world.h"
#include "worker/stream_thread.h"

enum {
    RECORDS = 1500,
    PAGES = 12,
    VISITORS = 40,
    WINDOW_MS = 60000,
    SPAN_MS = 10 * WINDOW_MS,
    WINDOWS = SPAN_MS / WINDOW_MS,
    PARTITIONS = 4,
    SUM_EVERY_MS = 40,
    LIFETIME_US = 600 * 1000000, /* virtual: far more than a run takes */
};

/* One life of a process. On the machine SERVER it has the broker inside. */
struct process {
    struct sim_memory *memory;
    struct loop *broker_loop; /* NULL: no broker inside */
    struct loop *stream_loop;
    struct config broker_config;
    struct broker *broker;
    struct server *server;
    struct local_connector connector;
    mill_topology *topology;
    char state_directory[64];
    struct stream_thread *thread;
    bool thread_closed, broker_closed, server_closed;
    bool restored[PARTITIONS]; /* tasks of which a store has been restored */
    bool stopped;              /* the stream thread is told that the whole application is to stop */
    bool failed;               /* the stream thread, and why: */
    char failure[512];
};

struct machine {
    const char *host;
    const char *root; /* where its disk is mounted */
    struct sim_disk *disk;
    struct process *process; /* NULL: none runs */
};

enum { SERVER, SECOND, MACHINES };

struct expected {
    int64_t views[PAGES][WINDOWS];
    bool seen[PAGES][WINDOWS][VISITORS];
    int64_t visitors[PAGES][WINDOWS];
};

enum pipeline {
    PIPELINE_VIEWS,
    PIPELINE_SUMS,  /* see scenario_sums */
    PIPELINE_TABLE, /* the last visitor of each page, in a table whose changelog is the input itself */
};

struct scenario {
    uint64_t seed;
    int records; /* that the feeder sends */
    struct sim_world *world;
    struct machine machines[MACHINES];
    struct config config;
    bool topics_are_the_users;     /* auto.create.topics.enable=false of the next broker */
    const char *message_bytes_max; /* message.max.bytes of the next broker; NULL: its default */
    int faults;                    /* that may make records be read again */
    bool exactly_once;
    bool repartitioned; /* visits go through a repartition topic first */
    enum pipeline pipeline;

    /*
     * The allocation of the next process that fails, and whether all that follow do; 0: none. Process after process is armed
     * anew.
     */
    uint64_t allocation_fails_at;
    bool allocations_fail_on;
    uint64_t allocations; /* that could have failed */

    struct loop *feeder_loop;
    struct client *feeder;
    struct producer *producer;
    struct producer_topic *topic;
    struct loop_timer feed;
    int64_t feed_every_us; /* 5 records each time; 2000 unless changed */
    int sent;
    bool all_acknowledged;
    struct admin_operation *asking;
    int64_t committed; /* of the input */
    int times_done;    /* that all was found to be committed, in turn */
    struct expected expected;
};

/* What is found in the topics afterwards. */
struct results {
    int64_t values[PAGES][WINDOWS]; /* the last of each */
    int64_t counts[PAGES][WINDOWS]; /* how many there were */
    int64_t steps;                  /* results that are the one before and 1 more, or the first and 1 */
    int64_t total;
};

struct found {
    int64_t inputs;
    struct results views;
    struct results visitors;
    struct results changelog; /* of the views */
    int64_t sums[PAGES];      /* of a pipeline that sums: of all that came out */
};

/* A world with both machines and the feeder; no process runs yet. Prints the seed. */
void scenario_begin(struct scenario *s, uint64_t seed, int records);

/*
 * Before a process starts: exactly once, without caches, so that each record makes a result; with an odd seed through a
 * repartition topic, so that what a transaction wrote is read by the next ones.
 */
void scenario_exactly_once(struct scenario *s);

/*
 * Before a process starts: exactly once another pipeline, which counts visits in a cached store and every SUM_EVERY_MS of the
 * wall clock gives the counts out and begins anew from 0. What is given out must sum up to the visits of each page.
 */
void scenario_sums(struct scenario *s);

/* Every process is killed first. */
void scenario_end(struct scenario *s);

/* 0, or the error with which it did not start: then none runs, and nothing of it is left. */
int process_start(struct scenario *s, int at);

/* In good order: commits, leaves the group, closes the broker. Asserts that it ends and leaves nothing in memory. */
void process_close(struct scenario *s, int at);

/* The same within `max_us` of virtual time, whatever has become of the broker; some of it may be read again. */
void process_close_within(struct scenario *s, int at, int64_t max_us);

/* Its stream thread is closed in good order, and started again; a broker inside goes on. */
void process_leave(struct scenario *s, int at);
void process_return(struct scenario *s, int at);

/* Where it is. After a power cut the disk keeps what was synced and some of the rest. */
void process_kill(struct scenario *s, int at, bool power_cut);

/* Is any stream thread failed? */
bool process_failed(const struct scenario *s);

/* Runs on for up to `max_us`, a random time; no process may fail. */
void run_for(struct scenario *s, uint64_t max_us);

/* Runs until all is sent, acknowledged, counted and committed: 0, also when a
 * process fails. MILL_ETIMEOUT. */
int run_until_done(struct scenario *s, int64_t max_us);

/* Runs until done, asserts that the results are right, and ends the scenario. */
void run_to_the_end(struct scenario *s);

/* Reads the topics; exactly once, what is committed of them. The broker must run. */
void read_back(struct scenario *s, struct found *found);

/*
 * What is wrong, or NULL. With faults a view may be counted again, but none is lost; a number of visitors is always exact.
 * Exactly once, the views of a page and minute are 1, 2, 3, ... to their number, each once and in this order, and the changelog
 * agrees.
 */
const char *judge(const struct scenario *s, const struct found *found);

#endif
