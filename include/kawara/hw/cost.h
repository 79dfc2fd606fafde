/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The work clock: what a checked job costs in cycles, as if it ran alone from idle. Deterministic, and decided from the
 * job's snapshot and the memories of its regions; cost_command.h says what one command costs.
 *
 * Engines run side by side, each in its own order. A command starts when its engine is free, its waits are met and every
 * segment before its own has retired. It waits out `start` without touching memory; its remaining cycles, `body`, then pass at
 * full speed while each memory can move what the commands beside it ask for: bytes / body per cycle each. A memory that is
 * asked for more serves all in proportion, and a command is as slow as the slowest memory that it uses. Speeds are fixed-point
 * numbers of 16 bits behind the point, rounded up, and hold from one start or retirement to the next.
 *
 * So a job costs at least what any one engine has to do, and at most all its commands one after another.
 */
#ifndef KAWARA_COST_H
#define KAWARA_COST_H

#include "cost_command.h"

#define KAWARA_COST_ONE 0x10000u               /* full speed, and one cycle of the clock */
#define KAWARA_COST_COMMAND_MAX (1ull << 31)   /* cycles; a longer command, which no segment allows, counts as this long */

struct kawara_job_cost {
	uint64_t cycles;
	uint64_t busy[KAWARA_ENGINE_COUNT];
	uint64_t bytes[KAWARA_MEMORY_COUNT];
};

/* What else a caller wants to know; null: not this. */
struct kawara_cost_trace {
	uint64_t *retired; /* cycle at which each command retires: as many as there are commands */
	uint64_t *started; /* cycle at which each starts, likewise */
	struct kawara_counters *events; /* what each `event` writes, in the order of the buffer: as many as there are such commands */
};

/* One engine: the command that it is to run next or runs, and what it has done. */
struct kawara_cost_engine {
	uint32_t next;    /* index of the command; `count` when there is none left */
	uint32_t segment; /* commands before its segment */
	uint32_t retired;
	int running, body; /* `body`: past its start */
	uint64_t left;     /* of start or body, in parts of a cycle, as all times below */
	uint64_t since, busy;
	uint64_t demand[KAWARA_MEMORY_COUNT];
	struct kawara_cost cost;
};

struct kawara_cost_clock {
	const uint8_t *commands;
	const uint32_t *offsets;
	uint32_t count, retired, events;
	const struct kawara_cost_view *view;
	const struct kawara_cost_trace *trace;
	uint64_t now;
	uint64_t bandwidth[KAWARA_MEMORY_COUNT]; /* parts of a byte in a cycle */
	struct kawara_cost_engine engine[KAWARA_ENGINE_COUNT];
	struct kawara_job_cost *job;
};

static inline const struct kawara_header *kawara_cost_header(const struct kawara_cost_clock *clock, uint32_t index)
{
	return (const struct kawara_header *)(clock->commands + clock->offsets[index]);
}

/* Moves an engine on to its next command at or behind `next`. */
static inline void kawara_cost_seek(struct kawara_cost_clock *clock, uint32_t number)
{
	struct kawara_cost_engine *engine = &clock->engine[number];

	for (; engine->next < clock->count && kawara_cost_header(clock, engine->next)->engine != number; ++engine->next)
		if ((kawara_cost_header(clock, engine->next)->flags & KAWARA_HEADER_SWITCH_POINT) != 0)
			engine->segment = engine->next + 1;
}

static inline int kawara_cost_may_start(const struct kawara_cost_clock *clock, const struct kawara_cost_engine *engine)
{
	const struct kawara_header *header;

	/* Nothing behind a segment's end starts before all of it has retired: so many retired are those. */
	if (engine->running || engine->next >= clock->count || clock->retired < engine->segment)
		return 0;
	header = kawara_cost_header(clock, engine->next);
	for (int i = 0; i < 3; ++i)
		if (clock->engine[kawara_wait_engine(header->wait[i])].retired < kawara_wait_count(header->wait[i]))
			return 0;
	return 1;
}

/* Cycles that an engine has been busy. */
static inline uint64_t kawara_cost_busy(const struct kawara_cost_clock *clock, uint32_t number)
{
	const struct kawara_cost_engine *engine = &clock->engine[number];

	return kawara_sum(engine->busy, engine->running ? clock->now - engine->since : 0) / KAWARA_COST_ONE;
}

/* What an `event` shows that starts now. */
static inline void kawara_cost_event(struct kawara_cost_clock *clock)
{
	struct kawara_counters *counters;

	if (!clock->trace || !clock->trace->events)
		return;
	counters = &clock->trace->events[clock->events++];
	counters->cycles = clock->now / KAWARA_COST_ONE;
	counters->commands = clock->retired;
	counters->busy_me = kawara_cost_busy(clock, KAWARA_ENGINE_ME);
	counters->busy_ve = kawara_cost_busy(clock, KAWARA_ENGINE_VE);
	counters->busy_dma = kawara_sum(kawara_cost_busy(clock, KAWARA_ENGINE_DMA_IN), kawara_cost_busy(clock, KAWARA_ENGINE_DMA_OUT));
	counters->bytes_local = clock->job->bytes[KAWARA_MEMORY_LOCAL];
	counters->bytes_host = clock->job->bytes[KAWARA_MEMORY_HOST];
	counters->bytes_sram = clock->job->bytes[KAWARA_MEMORY_SRAM];
}

static inline void kawara_cost_start(struct kawara_cost_clock *clock, struct kawara_cost_engine *engine)
{
	kawara_cost_command(kawara_cost_header(clock, engine->next), clock->view, &engine->cost);
	if (kawara_cost_header(clock, engine->next)->opcode == KAWARA_COMMAND_event)
		kawara_cost_event(clock);
	if (clock->trace && clock->trace->started)
		clock->trace->started[engine->next] = clock->now / KAWARA_COST_ONE;
	engine->running = 1;
	engine->body = 0;
	engine->since = clock->now;
	engine->left = engine->cost.start * KAWARA_COST_ONE;
	memset(engine->demand, 0, sizeof(engine->demand));
}

static inline void kawara_cost_enter_body(const struct kawara_cost_clock *clock, struct kawara_cost_engine *engine)
{
	const uint64_t body = kawara_least(engine->cost.alone - engine->cost.start, KAWARA_COST_COMMAND_MAX);

	engine->body = 1;
	engine->left = body * KAWARA_COST_ONE;
	for (uint32_t i = 0; i < KAWARA_MEMORY_COUNT && body != 0; ++i)
		engine->demand[i] = kawara_least(clock->bandwidth[i], kawara_product(engine->cost.bytes[i], KAWARA_COST_ONE) / body);
}

static inline void kawara_cost_retire(struct kawara_cost_clock *clock, uint32_t number)
{
	struct kawara_cost_engine *engine = &clock->engine[number];

	if (clock->trace && clock->trace->retired)
		clock->trace->retired[engine->next] = clock->now / KAWARA_COST_ONE;
	if ((kawara_cost_header(clock, engine->next)->flags & KAWARA_HEADER_SWITCH_POINT) != 0)
		engine->segment = engine->next + 1;
	for (uint32_t i = 0; i < KAWARA_MEMORY_COUNT; ++i)
		clock->job->bytes[i] = kawara_sum(clock->job->bytes[i], engine->cost.bytes[i]);
	engine->busy = kawara_sum(engine->busy, clock->now - engine->since);
	engine->running = 0;
	++engine->retired;
	++clock->retired;
	++engine->next;
	kawara_cost_seek(clock, number);
}

/* Speed of each command that runs, in parts of one. */
static inline void kawara_cost_speeds(const struct kawara_cost_clock *clock, uint64_t *speed)
{
	uint64_t share[KAWARA_MEMORY_COUNT];

	for (uint32_t i = 0; i < KAWARA_MEMORY_COUNT; ++i) {
		uint64_t asked = 0;

		for (uint32_t j = 0; j < KAWARA_ENGINE_COUNT; ++j)
			if (clock->engine[j].running && clock->engine[j].body)
				asked += clock->engine[j].demand[i];
		share[i] = asked <= clock->bandwidth[i] ? KAWARA_COST_ONE : kawara_ceil_divide(clock->bandwidth[i] * KAWARA_COST_ONE, asked);
	}
	for (uint32_t j = 0; j < KAWARA_ENGINE_COUNT; ++j) {
		speed[j] = KAWARA_COST_ONE;
		for (uint32_t i = 0; i < KAWARA_MEMORY_COUNT; ++i)
			if (clock->engine[j].body && clock->engine[j].demand[i] != 0)
				speed[j] = kawara_least(speed[j], share[i]);
	}
}

/* Moves on to the next end of a start or a body. Returns 0 when nothing runs. */
static inline int kawara_cost_advance(struct kawara_cost_clock *clock)
{
	uint64_t speed[KAWARA_ENGINE_COUNT], step = ~0ull;

	kawara_cost_speeds(clock, speed);
	for (uint32_t j = 0; j < KAWARA_ENGINE_COUNT; ++j)
		if (clock->engine[j].running)
			step = kawara_least(step, kawara_ceil_divide(clock->engine[j].left * KAWARA_COST_ONE, speed[j]));
	if (step == ~0ull)
		return 0;
	clock->now = kawara_sum(clock->now, step);
	for (uint32_t j = 0; j < KAWARA_ENGINE_COUNT; ++j) {
		struct kawara_cost_engine *engine = &clock->engine[j];

		if (!engine->running)
			continue;
		engine->left -= kawara_least(engine->left, step * speed[j] / KAWARA_COST_ONE);
		if (engine->left == 0 && !engine->body)
			kawara_cost_enter_body(clock, engine);
		if (engine->left == 0)
			kawara_cost_retire(clock, j);
	}
	return 1;
}

/*
 * commands, offsets, count: a buffer that kawara_check() accepted, and what it said of it. trace: may be null. Takes time in
 * proportion to the commands, and no memory.
 */
static inline void kawara_cost_job(const void *commands, const uint32_t *offsets, uint32_t count, const struct kawara_cost_view *view,
				   struct kawara_job_cost *job, const struct kawara_cost_trace *trace)
{
	struct kawara_cost_clock clock;

	memset(&clock, 0, sizeof(clock));
	memset(job, 0, sizeof(*job));
	clock.commands = (const uint8_t *)commands;
	clock.offsets = offsets;
	clock.count = count;
	clock.view = view;
	clock.trace = trace;
	clock.job = job;
	for (uint32_t i = 0; i < KAWARA_MEMORY_COUNT; ++i)
		clock.bandwidth[i] = kawara_memory_gb_s(view->config, i) * 1000ull * KAWARA_COST_ONE / view->config->clock_mhz;
	for (uint32_t j = 0; j < KAWARA_ENGINE_COUNT; ++j)
		kawara_cost_seek(&clock, j);
	do {
		for (uint32_t j = 0; j < KAWARA_ENGINE_COUNT; ++j)
			if (kawara_cost_may_start(&clock, &clock.engine[j]))
				kawara_cost_start(&clock, &clock.engine[j]);
	} while (kawara_cost_advance(&clock));
	job->cycles = clock.now / KAWARA_COST_ONE;
	for (uint32_t j = 0; j < KAWARA_ENGINE_COUNT; ++j)
		job->busy[j] = clock.engine[j].busy / KAWARA_COST_ONE;
}

#endif
