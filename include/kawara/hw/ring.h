/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Rings and their packets, for both sides: a driver packs, the chip checks and unpacks. The rules of a packet's form stand in
 * kawara_packet_check() alone; to pack is to fill in and check. Words are little-endian, as every host of the chip is.
 */
#ifndef KAWARA_RING_H
#define KAWARA_RING_H

#include "hw.h"

/* Packets in the ring that register RING_SIZE describes; 0 for a size that the chip does not have. */
static inline kawara_u32 kawara_ring_packets(kawara_u32 ring_size)
{
	const kawara_u32 log2 = KAWARA_GET(ring_size, QUEUE_RING_SIZE_LOG2_PACKETS);

	return log2 < KAWARA_RING_LOG2_MIN || log2 > KAWARA_RING_LOG2_MAX ? 0 : (kawara_u32)1 << log2;
}

/* Jobs that a driver has in a ring at most. Each takes two packets, run and signal, so TAIL never passes HEAD unseen. */
static inline kawara_u32 kawara_ring_credits(kawara_u32 packets) { return packets / 2 - 1; }

/* HEAD and TAIL count packets freely; this is where in the ring a count lies. */
static inline kawara_u32 kawara_ring_slot(kawara_u32 count, kawara_u32 packets) { return count & (packets - 1); }

/* Whether TAIL is further than the ring is long: bad_doorbell. */
static inline int kawara_ring_overrun(kawara_u32 head, kawara_u32 tail, kawara_u32 packets) { return tail - head > packets; }

struct kawara_run_packet {
	kawara_u32 context, command_bytes, region_count;
	kawara_u64 commands, regions, record, tag; /* record: 0 for none */
};

struct kawara_signal_packet {
	kawara_u64 address, value;
	int interrupt;
};

struct kawara_clear_packet {
	kawara_u64 address, size; /* in local memory */
};

/* Why a packet is refused: a code of faults.def, none if it is not, and the word that breaks the rule. */
struct kawara_packet_fault {
	kawara_u32 code, word;
};

static inline struct kawara_packet_fault kawara_refuse_packet(kawara_u32 code, kawara_u32 word)
{
	struct kawara_packet_fault fault;

	fault.code = code;
	fault.word = word;
	return fault;
}

static inline kawara_u32 kawara_packet_opcode_of(const struct kawara_packet *packet) { return KAWARA_GET(packet->word[0], NOP_OPCODE); }

/* A 64-bit field by the index of its low word. */
static inline kawara_u64 kawara_packet_get64(const struct kawara_packet *packet, unsigned int word)
{
	return packet->word[word] | (kawara_u64)packet->word[word + 1] << 32;
}

static inline void kawara_packet_put64(struct kawara_packet *packet, unsigned int word, kawara_u64 value)
{
	packet->word[word] = (kawara_u32)value;
	packet->word[word + 1] = (kawara_u32)(value >> 32);
}

/* The bits of a word that rows name for an opcode; none of an opcode without rows. */
static inline kawara_u32 kawara_packet_named_bits(kawara_u32 opcode, unsigned int word)
{
	kawara_u32 bits = 0;

#define PACKET_FIELD(packet, name, at, high, low, doc) \
	bits |= opcode == KAWARA_PACKET_##packet && word == (at) ? KAWARA_MASK(high, low) : 0;
#define PACKET_FIELD64(packet, name, at, doc) \
	bits |= opcode == KAWARA_PACKET_##packet && (word == (at) || word == (at) + 1) ? ~(kawara_u32)0 : 0;
#include "packets.def"
	return bits;
}

/* These trust the packet: check first. */
static inline struct kawara_run_packet kawara_unpack_run(const struct kawara_packet *packet)
{
	struct kawara_run_packet run;

	run.context = KAWARA_GET(packet->word[KAWARA_RUN_CONTEXT_WORD], RUN_CONTEXT);
	run.command_bytes = KAWARA_GET(packet->word[KAWARA_RUN_COMMAND_BYTES_WORD], RUN_COMMAND_BYTES);
	run.region_count = KAWARA_GET(packet->word[KAWARA_RUN_REGION_COUNT_WORD], RUN_REGION_COUNT);
	run.commands = kawara_packet_get64(packet, KAWARA_RUN_COMMANDS_WORD);
	run.regions = kawara_packet_get64(packet, KAWARA_RUN_REGIONS_WORD);
	run.record = kawara_packet_get64(packet, KAWARA_RUN_RECORD_WORD);
	run.tag = kawara_packet_get64(packet, KAWARA_RUN_TAG_WORD);
	return run;
}

static inline struct kawara_signal_packet kawara_unpack_signal(const struct kawara_packet *packet)
{
	struct kawara_signal_packet signal;

	signal.address = kawara_packet_get64(packet, KAWARA_SIGNAL_ADDRESS_WORD);
	signal.value = kawara_packet_get64(packet, KAWARA_SIGNAL_VALUE_WORD);
	signal.interrupt = KAWARA_GET(packet->word[KAWARA_SIGNAL_INTERRUPT_WORD], SIGNAL_INTERRUPT) != 0;
	return signal;
}

static inline struct kawara_clear_packet kawara_unpack_clear(const struct kawara_packet *packet)
{
	struct kawara_clear_packet clear;

	clear.address = kawara_packet_get64(packet, KAWARA_CLEAR_ADDRESS_WORD);
	clear.size = kawara_packet_get64(packet, KAWARA_CLEAR_SIZE_WORD);
	return clear;
}

/* Every rule of a packet's form. Local memory bounds a clear. */
static inline struct kawara_packet_fault kawara_packet_check(const struct kawara_packet *packet, kawara_u64 local_bytes)
{
	const kawara_u32 opcode = kawara_packet_opcode_of(packet);
	unsigned int word;

	for (word = 0; word < 16; ++word)
		if (packet->word[word] & ~kawara_packet_named_bits(opcode, word))
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, word);

	switch (opcode) {
	case KAWARA_PACKET_NOP:
		break;
	case KAWARA_PACKET_RUN: {
		const struct kawara_run_packet run = kawara_unpack_run(packet);

		if (run.command_bytes % 16 || run.command_bytes > KAWARA_COMMAND_BYTES_MAX)
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_RUN_COMMAND_BYTES_WORD);
		if (run.region_count > KAWARA_REGION_COUNT_MAX)
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_RUN_REGION_COUNT_WORD);
		if (run.commands % 16)
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_RUN_COMMANDS_WORD);
		if (run.regions % sizeof(struct kawara_region))
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_RUN_REGIONS_WORD);
		if (run.record % sizeof(struct kawara_record))
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_RUN_RECORD_WORD);
		if (run.context >= KAWARA_CONTEXT_COUNT)
			return kawara_refuse_packet(KAWARA_FAULT_context_invalid, KAWARA_RUN_CONTEXT_WORD);
		break;
	}
	case KAWARA_PACKET_SIGNAL:
		if (kawara_unpack_signal(packet).address % sizeof(struct kawara_signal))
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_SIGNAL_ADDRESS_WORD);
		break;
	case KAWARA_PACKET_CLEAR: {
		const struct kawara_clear_packet clear = kawara_unpack_clear(packet);

		if (clear.address % KAWARA_PAGE_BYTES || clear.address > local_bytes)
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_CLEAR_ADDRESS_WORD);
		if (clear.size % KAWARA_PAGE_BYTES || clear.size > local_bytes - clear.address)
			return kawara_refuse_packet(KAWARA_FAULT_bad_packet, KAWARA_CLEAR_SIZE_WORD);
		break;
	}
	default:
		return kawara_refuse_packet(KAWARA_FAULT_bad_packet, 0);
	}
	return kawara_refuse_packet(KAWARA_FAULT_none, 0);
}

static inline void kawara_packet_start(struct kawara_packet *packet, kawara_u32 opcode)
{
	unsigned int word;

	for (word = 0; word < 16; ++word)
		packet->word[word] = 0;
	packet->word[0] = KAWARA_PUT(NOP_OPCODE, opcode);
}

/* A value for a field of 16 bits; what does not fit becomes the largest, which the check refuses, and never a smaller one. */
static inline kawara_u32 kawara_packet_fit16(kawara_u32 value) { return value > 0xffff ? 0xffff : value; }

/* Each gives what the chip would say of the packet; one that is refused must not enter a ring. */
static inline struct kawara_packet_fault kawara_pack_nop(struct kawara_packet *packet)
{
	kawara_packet_start(packet, KAWARA_PACKET_NOP);
	return kawara_packet_check(packet, 0);
}

static inline struct kawara_packet_fault kawara_pack_run(struct kawara_packet *packet, const struct kawara_run_packet *run)
{
	kawara_packet_start(packet, KAWARA_PACKET_RUN);
	packet->word[KAWARA_RUN_CONTEXT_WORD] |= KAWARA_PUT(RUN_CONTEXT, kawara_packet_fit16(run->context));
	packet->word[KAWARA_RUN_COMMAND_BYTES_WORD] |= KAWARA_PUT(RUN_COMMAND_BYTES, run->command_bytes);
	packet->word[KAWARA_RUN_REGION_COUNT_WORD] |= KAWARA_PUT(RUN_REGION_COUNT, kawara_packet_fit16(run->region_count));
	kawara_packet_put64(packet, KAWARA_RUN_COMMANDS_WORD, run->commands);
	kawara_packet_put64(packet, KAWARA_RUN_REGIONS_WORD, run->regions);
	kawara_packet_put64(packet, KAWARA_RUN_RECORD_WORD, run->record);
	kawara_packet_put64(packet, KAWARA_RUN_TAG_WORD, run->tag);
	return kawara_packet_check(packet, 0);
}

static inline struct kawara_packet_fault kawara_pack_signal(struct kawara_packet *packet, const struct kawara_signal_packet *signal)
{
	kawara_packet_start(packet, KAWARA_PACKET_SIGNAL);
	packet->word[KAWARA_SIGNAL_INTERRUPT_WORD] |= KAWARA_PUT(SIGNAL_INTERRUPT, signal->interrupt != 0);
	kawara_packet_put64(packet, KAWARA_SIGNAL_ADDRESS_WORD, signal->address);
	kawara_packet_put64(packet, KAWARA_SIGNAL_VALUE_WORD, signal->value);
	return kawara_packet_check(packet, 0);
}

static inline struct kawara_packet_fault kawara_pack_clear(struct kawara_packet *packet, const struct kawara_clear_packet *clear,
							   kawara_u64 local_bytes)
{
	kawara_packet_start(packet, KAWARA_PACKET_CLEAR);
	kawara_packet_put64(packet, KAWARA_CLEAR_ADDRESS_WORD, clear->address);
	kawara_packet_put64(packet, KAWARA_CLEAR_SIZE_WORD, clear->size);
	return kawara_packet_check(packet, local_bytes);
}

#endif
