/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* K1 as software sees it: the C that registers.def, packets.def, structs.def, faults.def and configs.def mean. Kernel and user space. */
#ifndef KAWARA_HW_H
#define KAWARA_HW_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/build_bug.h>
typedef u8 kawara_u8; typedef u16 kawara_u16; typedef u32 kawara_u32; typedef u64 kawara_u64;
#define KAWARA_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#include <stdint.h>
typedef uint8_t kawara_u8; typedef uint16_t kawara_u16; typedef uint32_t kawara_u32; typedef uint64_t kawara_u64;
#ifdef __cplusplus
#define KAWARA_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define KAWARA_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#endif

/* A mask of bits high..low, 31 >= high >= low >= 0: tables_are_sound.h asserts it of every row. */
#define KAWARA_MASK(high, low) ((kawara_u32)((0xffffffffu >> (31 - (high))) & (0xffffffffu << (low))))
/* Value of a field: KAWARA_GET(register value, QUEUE_STATE_CONTEXT). */
#define KAWARA_GET(value, field) (((kawara_u32)(value) & KAWARA_##field) >> KAWARA_##field##_LOW)
/* A field's value in its place; the caller answers for its range. */
#define KAWARA_PUT(field, value) (((kawara_u32)(value) << KAWARA_##field##_LOW) & KAWARA_##field)

/* Offsets of blocks and registers: KAWARA_QUEUE_BASE, KAWARA_QUEUE_STRIDE, KAWARA_QUEUE_COUNT, KAWARA_QUEUE_TAIL. */
enum {
#define BLOCK(name, base, stride, count, doc) KAWARA_##name##_BASE = (base), KAWARA_##name##_STRIDE = (stride), KAWARA_##name##_COUNT = (count),
#include "registers.def"
};
enum {
#define REGISTER(block, name, offset, access, reset, doc) KAWARA_##block##_##name = (offset),
#include "registers.def"
};
/* Masks of fields: KAWARA_QUEUE_STATE_CONTEXT, and its lowest bit, KAWARA_QUEUE_STATE_CONTEXT_LOW. */
#define FIELD(block, reg, name, high, low, doc) \
	static const kawara_u32 KAWARA_##block##_##reg##_##name __attribute__((unused)) = KAWARA_MASK(high, low); \
	enum { KAWARA_##block##_##reg##_##name##_LOW = (low) };
#include "registers.def"

/* Address of a register in BAR0. */
#define KAWARA_REGISTER(block, instance, name) \
	((kawara_u32)(KAWARA_##block##_BASE + KAWARA_##block##_STRIDE * (instance) + KAWARA_##block##_##name))

#define KAWARA_BAR0_BYTES 0x18000u
#define KAWARA_RESET_KEY 0x52534554u /* 'RSET' */
#define KAWARA_VECTORS 9             /* 0-7 for `signal`, 8 management */
#define KAWARA_VECTOR_MANAGEMENT 8
#define KAWARA_RING_LOG2_MIN 4
#define KAWARA_RING_LOG2_MAX 12

enum kawara_queue_state {
	KAWARA_QUEUE_DISABLED = 0, KAWARA_QUEUE_IDLE = 1, KAWARA_QUEUE_READY = 2, KAWARA_QUEUE_RUNNING = 3,
	KAWARA_QUEUE_RESETTING = 4, KAWARA_QUEUE_FAULTED = 5,
};

enum kawara_engine {
	KAWARA_ENGINE_CP = 0, KAWARA_ENGINE_ME = 1, KAWARA_ENGINE_VE = 2, KAWARA_ENGINE_DMA_IN = 3, KAWARA_ENGINE_DMA_OUT = 4,
	KAWARA_ENGINE_COUNT = 5,
};

enum kawara_fault_code {
	KAWARA_FAULT_none = 0,
#define FAULT_ROW(code, name, cause, remedy) KAWARA_FAULT_##name = (code),
#include "faults.def"
};

/* Ring packets. KAWARA_PACKET_RUN; fields as masks of word KAWARA_RUN_CONTEXT_WORD; 64-bit fields give the low word's index. */
enum kawara_packet_opcode {
#define PACKET(opcode, name, doc) KAWARA_PACKET_##name = (opcode),
#include "packets.def"
};
#define PACKET_FIELD(packet, name, word, high, low, doc) \
	static const kawara_u32 KAWARA_##packet##_##name __attribute__((unused)) = KAWARA_MASK(high, low); \
	enum { KAWARA_##packet##_##name##_LOW = (low), KAWARA_##packet##_##name##_WORD = (word) };
#define PACKET_FIELD64(packet, name, word, doc) enum { KAWARA_##packet##_##name##_WORD = (word) };
#include "packets.def"

struct kawara_packet { kawara_u32 word[16]; };

/* What chip and driver tell each other in memory: kawara_region, kawara_record, kawara_signal, kawara_counters. */
#define STRUCT(name, bytes, doc) struct kawara_##name {
#define MEMBER(struct_, offset, type, name, doc) kawara_##type name;
#define RESERVED(struct_, offset, type, name, count) kawara_##type name[count];
#define END_STRUCT(name) };
#include "structs.def"
#define STRUCT(name, bytes, doc) \
	KAWARA_STATIC_ASSERT(sizeof(struct kawara_##name) == (bytes), "struct " #name ": its members do not fill the " #bytes " bytes that its row says");
#define MEMBER(struct_, offset, type, name, doc) \
	KAWARA_STATIC_ASSERT(__builtin_offsetof(struct kawara_##struct_, name) == (offset), \
		#struct_ "." #name ": offset " #offset " overlaps the member before it or leaves a gap");
#define RESERVED(struct_, offset, type, name, count) MEMBER(struct_, offset, type, name, "")
#include "structs.def"

#define KAWARA_REGION_KIND 0x00000003u /* mask: one of the next two */
#define KAWARA_REGION_MEMORY 0u
#define KAWARA_REGION_SRAM 1u
#define KAWARA_REGION_READ 0x00000010u  /* commands may read it */
#define KAWARA_REGION_WRITE 0x00000020u /* commands may write it */
#define KAWARA_REGION_ALIAS_LOW 16 /* bits 31..16: alias group, 0 none */
#define KAWARA_REGION_COUNT_MAX 4096u
#define KAWARA_REGION_ABSENT 0xffffu /* the region of an operand that is not there */
#define KAWARA_COMMAND_BYTES_MAX (1u << 24)
#define KAWARA_SEGMENT_CYCLES_LOG2 28 /* what a segment's commands may cost, one after another */

/* Page-table entries: 9 + 9 + 9 + 12 bits of a virtual address, leaves at 4 KiB and 2 MiB. */
#define KAWARA_PTE_VALID 0x01ull
#define KAWARA_PTE_LEAF 0x02ull  /* maps memory; else it names a table */
#define KAWARA_PTE_LOCAL 0x04ull /* a leaf in local memory; else at a bus address */
#define KAWARA_PTE_READ 0x08ull
#define KAWARA_PTE_WRITE 0x10ull
#define KAWARA_PTE_ADDRESS 0x000ffffffffff000ull /* of the table or the memory */
#define KAWARA_PAGE_BYTES 0x1000ull
#define KAWARA_LARGE_PAGE_BYTES 0x200000ull
#define KAWARA_VA_BITS 39
#define KAWARA_VA_GUARD 0x10000ull /* never mapped */

/* A chip of the family: one row of configs.def. Bandwidths in 10^9 bytes a second. */
struct kawara_config {
	const char *name;
	kawara_u32 local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s, features;
};

KAWARA_STATIC_ASSERT(sizeof(struct kawara_packet) == 64, "a packet is 64 bytes");

#endif
