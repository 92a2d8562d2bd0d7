/*
 * The memory of a simulated process: it can be taken away whole, as the system does when a process is killed, and run out.
 *
 * A test that links sim_memory has every call of base/alloc.h wrapped by the linker: a block belongs to the process that is
 * entered while it is allocated, until it is freed, by whomever. Outside of all processes blocks belong to nobody, as ever.
 *
 * Uses plain malloc for itself. One thread.
 */
#ifndef SIMULATION_SIM_MEMORY_H
#define SIMULATION_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_memory;

struct sim_memory *sim_memory_new(void);

/* Frees all its blocks too: nothing that lives there is touched again. */
void sim_memory_free(struct sim_memory *memory);

/* From now on allocations belong to `memory`; NULL: to nobody. Returns what was entered before. */
struct sim_memory *sim_memory_enter(struct sim_memory *memory);

/* Blocks not freed: none after an orderly end. */
size_t sim_memory_blocks(const struct sim_memory *memory);

/* As mem_fail_at (base/alloc.h), for the allocations that belong to `memory`. */
uint64_t sim_memory_fail_at(struct sim_memory *memory, uint64_t nth, bool sticky);

#endif
