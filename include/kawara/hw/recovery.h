/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a driver concludes from what it sees of a ring whose oldest job has not ended. kawara_judge() is the rule, a function
 * of its argument alone; kawara_watch_look() keeps the times that it needs from look to look.
 */
#ifndef KAWARA_RECOVERY_H
#define KAWARA_RECOVERY_H

#include "hw.h"

/* WORK moves at least every 200 ms while a queue runs. More, because an emulated chip shares its processors. */
#define KAWARA_HANG_MS 1000u
/* From writing RESET to STATE = DISABLED. */
#define KAWARA_QUEUE_RESET_MS 500u
/* What a register of a chip reads that the bus does not reach any more. */
#define KAWARA_ALL_ONES 0xffffffffu

enum kawara_verdict {
	KAWARA_VERDICT_WAIT = 0,
	KAWARA_VERDICT_COMPLETE = 1,     /* the job has ended: its interrupt was lost */
	KAWARA_VERDICT_RESET_QUEUE = 2,
	KAWARA_VERDICT_RESET_DEVICE = 3, /* the queue says what cannot be: what has run is not known */
	KAWARA_VERDICT_GONE = 4,         /* nobody answers */
};

struct kawara_evidence {
	int signalled;         /* the job's signal value is written */
	kawara_u32 state;      /* register STATE, whole */
	kawara_u64 state_ms;   /* the queue has been seen in this state with this job for so long */
	kawara_u64 still_ms;   /* and its WORK has not moved for so long; 0: it has since the last look */
	kawara_u64 timeout_ms; /* of the job's queue */
};

/* After RESET was written: complete means that the queue is still and may be set up again. */
static inline enum kawara_verdict kawara_reset_verdict(kawara_u32 state, kawara_u64 elapsed_ms)
{
	if (state == KAWARA_ALL_ONES)
		return KAWARA_VERDICT_GONE;
	if (KAWARA_GET(state, QUEUE_STATE_STATE) == KAWARA_QUEUE_DISABLED)
		return KAWARA_VERDICT_COMPLETE;
	return elapsed_ms > KAWARA_QUEUE_RESET_MS ? KAWARA_VERDICT_RESET_DEVICE : KAWARA_VERDICT_WAIT;
}

static inline enum kawara_verdict kawara_judge(const struct kawara_evidence *seen)
{
	if (seen->signalled)
		return KAWARA_VERDICT_COMPLETE;
	if (seen->state == KAWARA_ALL_ONES)
		return KAWARA_VERDICT_GONE;
	switch (KAWARA_GET(seen->state, QUEUE_STATE_STATE)) {
	case KAWARA_QUEUE_READY:
		return KAWARA_VERDICT_WAIT; /* others have the engines */
	case KAWARA_QUEUE_RUNNING:
		if (seen->still_ms > KAWARA_HANG_MS || seen->state_ms > seen->timeout_ms)
			return KAWARA_VERDICT_RESET_QUEUE;
		return KAWARA_VERDICT_WAIT;
	case KAWARA_QUEUE_FAULTED:
		return KAWARA_VERDICT_RESET_QUEUE; /* its interrupt was lost, or is on its way */
	case KAWARA_QUEUE_RESETTING:
		return kawara_reset_verdict(seen->state, seen->state_ms);
	case KAWARA_QUEUE_IDLE:
	case KAWARA_QUEUE_DISABLED:
		/* The signal may have been written between looking at it and reading STATE; but not for ever. */
		return seen->state_ms > KAWARA_HANG_MS ? KAWARA_VERDICT_RESET_DEVICE : KAWARA_VERDICT_WAIT;
	default:
		return KAWARA_VERDICT_RESET_DEVICE;
	}
}

/* What one look sees of the oldest job; read `signalled` before the registers. */
struct kawara_sight {
	kawara_u64 job;         /* value of its signal, from 1 */
	kawara_u64 signalled;   /* value of the last signal written */
	kawara_u32 state, work; /* registers */
	kawara_u64 timeout_ms;
};

/* What a ring's looks have seen so far; zeroed at first. */
struct kawara_watch {
	kawara_u64 job, since_ms, moved_ms;
	kawara_u32 state, work;
};

/* `now_ms` never falls. */
static inline enum kawara_verdict kawara_watch_look(struct kawara_watch *watch, const struct kawara_sight *sight, kawara_u64 now_ms)
{
	const kawara_u32 state = KAWARA_GET(sight->state, QUEUE_STATE_STATE);
	const int fresh = sight->job != watch->job || state != watch->state;
	struct kawara_evidence seen;

	if (fresh)
		watch->since_ms = now_ms;
	if (fresh || sight->work != watch->work)
		watch->moved_ms = now_ms;
	watch->job = sight->job;
	watch->state = state;
	watch->work = sight->work;

	seen.signalled = sight->signalled >= sight->job;
	seen.state = sight->state;
	seen.state_ms = now_ms - watch->since_ms;
	seen.still_ms = now_ms - watch->moved_ms;
	seen.timeout_ms = sight->timeout_ms;
	return kawara_judge(&seen);
}

#endif
