# SPDX-License-Identifier: Apache-2.0
"""Each mistake in the tables ends the compilation with words that name it. Called with a C++ and a C compiler."""

import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

from seeded import compile_with, seeded

CXX, C = sys.argv[1:3] if len(sys.argv) > 2 else ("c++", "cc")

# The file, what stands there, what is put there instead, what the C++ compiler must say.
MISTAKES = [
    # Fields of a register
    ("registers.def", "FIELD(QUEUE, STATE, CONTEXT, 23, 8,", "FIELD(QUEUE, STATE, CONTEXT, 23, 2,",
     "field QUEUE.STATE.CONTEXT: bits 23..2 overlap another field of the register"),
    ("registers.def", "FIELD(GLOBAL, FEATURES, SORT, 2, 2,", "FIELD(GLOBAL, FEATURES, SORT, 3, 3,",
     "field GLOBAL.FEATURES.REPEAT: bits 3..3 overlap another field of the register"),
    ("registers.def", "FIELD(QUEUE, CONTROL, VECTOR, 15, 8,", "FIELD(QUEUE, CONTROL, VECTOR, 8, 15,",
     "field QUEUE.CONTROL.VECTOR: bits 8..15 are no bits of a 32-bit word"),
    ("registers.def", "FIELD(TEST, HANG, COMMAND, 31, 8,", "FIELD(TEST, HANG, COMMAND, 32, 8,",
     "field TEST.HANG.COMMAND: bits 32..8 are no bits of a 32-bit word"),
    ("registers.def", "FIELD(QUEUE, RESET, GO,", "FIELD(QUEUE, RESTE, GO,", "register_QUEUE_RESTE"),
    # Registers of a block
    ("registers.def", "REGISTER(QUEUE, TAIL, 0x14,", "REGISTER(QUEUE, TAIL, 0x10,",
     "register QUEUE.TAIL: offset 0x10 is another register's too"),
    ("registers.def", "REGISTER(QUEUE, TAIL, 0x14,", "REGISTER(QUEUE, TAIL, 0x16,",
     "register QUEUE.TAIL: offset 0x16 is no multiple of 4"),
    ("registers.def", "REGISTER(CONTEXT, INVALIDATE, 0x8,", "REGISTER(CONTEXT, INVALIDATE, 0x10,",
     "register CONTEXT.INVALIDATE: offset 0x10 is outside its block's stride"),
    ("registers.def", "REGISTER(GLOBAL, STATUS, 0x028, RO, 0,", "REGISTER(GLOBAL, STATUS, 0x028, RO, 0x10,",
     "register GLOBAL.STATUS: its reset value 0x10 sets a bit of no field"),
    ("registers.def", "REGISTER(GLOBAL, STATUS, 0x028, RO,", "REGISTER(GLOBAL, STATUS, 0x028, ROW,", "'ROW'"),
    ("registers.def", "REGISTER(QUEUE, WORK,", "REGISTER(QUEUE, HEAD,", "KAWARA_QUEUE_HEAD"),
    # Blocks
    ("registers.def", "BLOCK(CONTEXT, 0x1000, 0x10, 256,", "BLOCK(CONTEXT, 0x1000, 0x10, 257,",
     "block TEST overlaps another block"),
    ("registers.def", "BLOCK(PMU, 0x3000,", "BLOCK(PMU, 0x2000,", "block PMU overlaps another block"),
    ("registers.def", "BLOCK(QUEUE, 0x10000, 0x1000, 8,", "BLOCK(QUEUE, 0x10000, 0x1000, 9,", "block QUEUE ends behind BAR0"),
    ("registers.def", "BLOCK(QUEUE, 0x10000, 0x1000, 8,", "BLOCK(QUEUE, 0x10000, 0x1000, 0,", "block QUEUE is no row of words"),
    # Packets
    ("packets.def", "PACKET(3, SIGNAL,", "PACKET(2, SIGNAL,", "packet SIGNAL: opcode 2 is another packet's too"),
    ("packets.def", "PACKET(4, CLEAR,", "PACKET(256, CLEAR,", "packet CLEAR: opcode 256 is not 1 to 255"),
    ("packets.def", "PACKET_FIELD(CLEAR, OPCODE, 0, 7, 0,", "PACKET_FIELD(CLEAR, OPCODE, 0, 6, 0,",
     "packet CLEAR: its opcode is not in bits 7..0 of word 0"),
    ("packets.def", "PACKET_FIELD(RUN, CONTEXT, 0, 31, 16,", "PACKET_FIELD(RUN, CONTEXT, 0, 31, 7,",
     "packet field RUN.CONTEXT: overlaps another field of the packet"),
    ("packets.def", "PACKET_FIELD(RUN, CONTEXT, 0, 31, 16,", "PACKET_FIELD(RUN, CONTEXT, 0, 16, 31,",
     "packet field RUN.CONTEXT: bits 16..31 are no bits of a 32-bit word"),
    ("packets.def", "PACKET_FIELD(RUN, REGION_COUNT, 2,", "PACKET_FIELD(RUN, REGION_COUNT, 5,",
     "packet field RUN.REGION_COUNT: overlaps another field of the packet"),
    ("packets.def", "PACKET_FIELD(RUN, REGION_COUNT, 2,", "PACKET_FIELD(RUN, REGION_COUNT, 16,",
     "packet field RUN.REGION_COUNT: there is no word 16"),
    ("packets.def", "PACKET_FIELD64(RUN, TAG, 10,", "PACKET_FIELD64(RUN, TAG, 8,",
     "packet field RUN.TAG: overlaps another field of the packet"),
    ("packets.def", "PACKET_FIELD64(RUN, TAG, 10,", "PACKET_FIELD64(RUN, TAG, 15,",
     "packet field RUN.TAG: no 64 bits are aligned at word 15"),
    # Structs and their members
    ("commands.def", "MEMBER(gemm, 44, u32, N,", "MEMBER(gemm, 40, u32, N,",
     "gemm.N: offset 40 overlaps the member before it or leaves a gap"),
    ("commands.def", "MEMBER(gemm, 44, u32, N,", "MEMBER(gemm, 46, u32, N,",
     "gemm.N: offset 46 overlaps the member before it or leaves a gap"),
    ("commands.def", "ARRAY(conv, 60, u32, out, 3,", "ARRAY(conv, 60, u32, out, 2,",
     "conv.kernel: offset 72 overlaps the member before it or leaves a gap"),
    ("commands.def", "ARRAY(conv, 268, i32, b_zero_stride, 2,", "ARRAY(conv, 268, i32, b_zero_stride, 0,",
     "conv.b_zero_stride: an array of 0 values"),
    ("commands.def", "STRUCT(stream, 32,", "STRUCT(stream, 40,",
     "struct stream: its members do not fill the 40 bytes that its row says"),
    ("commands.def", "RESERVED(gemm, 53, u8, reserved0, 3)\n", "", "struct gemm has padding that no row names"),
    ("commands.def", "RESERVED(conv, 276, u32, reserved1, 3)\n", "RESERVED(conv, 276, u32, reserved1, 1)\n",
     "struct conv: its members do not fill the 288 bytes that its row says"),
    ("commands.def", "RESERVED(section, 48, u32, reserved1, 4)\nEND_STRUCT(section)\n\nSTRUCT(stream, 32,",
     "RESERVED(section, 48, u32, reserved1, 4)\nEND_STRUCT(section)\n\n"
     "STRUCT(odd, 12, \"\")\nMEMBER(odd, 0, u32, x, 0, 1, \"\")\nRESERVED(odd, 4, u32, reserved0, 2)\nEND_STRUCT(odd)\n\nSTRUCT(stream, 32,",
     "struct odd: 12 bytes are no multiple of 8"),
    ("commands.def", "STRUCT(nop, 32, \"\")\nMEMBER(nop, 0, header, header, 0, 0, \"\")\n",
     "STRUCT(nop, 40, \"\")\nMEMBER(nop, 0, header, header, 0, 0, \"\")\nRESERVED(nop, 32, u64, reserved0, 1)\n",
     "command nop: its size is no multiple of 16"),
    ("commands.def", "STRUCT(nop, 32, \"\")\nMEMBER(nop, 0, header, header, 0, 0, \"\")\n",
     "STRUCT(nop, 48, \"\")\nRESERVED(nop, 0, u64, reserved0, 2)\nMEMBER(nop, 16, header, header, 0, 0, \"\")\n",
     "command nop does not open with its header"),
    # Ranges
    ("commands.def", "MEMBER(header, 2, u16, size16, 2, 4095,", "MEMBER(header, 2, u16, size16, 4095, 2,",
     "header.size16: the range 4095 to 2 is empty"),
    ("commands.def", "ARRAY(conv, 84, u16, stride, 3, 1, 0xffff,", "ARRAY(conv, 84, u16, stride, 3, 1, 0,",
     "conv.stride: the range 1 to 0 is empty"),
    ("commands.def", "MEMBER(section, 41, u8, n_const, 0, 64,", "MEMBER(section, 41, u8, n_const, 0, 256,",
     "section.n_const: the type u8 cannot hold 0 to 256"),
    ("commands.def", "MEMBER(gemm, 48, u32, K, 0,", "MEMBER(gemm, 48, u32, K, -1,",
     "gemm.K: the type u32 cannot hold -1 to 0xffffffff"),
    # Commands
    ("commands.def", "COMMAND(0x21, conv,", "COMMAND(0x20, conv,", "command conv: opcode 0x20 is another command's too"),
    ("commands.def", "COMMAND(0x01, nop,", "COMMAND(0, nop,", "command nop: opcode 0 is not 1 to 255"),
    ("commands.def", "COMMAND(0x01, nop, 1 << 0,", "COMMAND(0x01, nop, 1 << 5,", "command nop: engines 1 << 5 are no engines"),
    ("commands.def", "COMMAND(0x10, vector, 1 << 2, 1,", "COMMAND(0x10, vector, 1 << 2, 2,", "command vector: section is 0 or 1"),
    # Codes of the other tables
    ("microcode.def", "INSTR(9, sub,", "INSTR(8, sub,", "instruction sub: code 8 is another instruction's too"),
    ("microcode.def", "INSTR(64, exp,", "INSTR(256, exp,", "instruction exp: code 256 is not 1 to 255"),
    ("microcode.def", "INSTR(16, umulhi, BINARY, TYPE_U,", "INSTR(16, umulhi, BINARY, 0,",
     "instruction umulhi computes in no type"),
    ("dtypes.def", "DTYPE(2, f16,", "DTYPE(1, f16,", "element type f16: code 1 is another element type's too"),
    ("dtypes.def", "DTYPE(1, f32,", "DTYPE(0, f32,", "element type f32: code 0 is not 1 to 255"),
    ("dtypes.def", "DTYPE(12, i4, 4,", "DTYPE(12, i4, 3,", "element type i4: no element has 3 bits"),
    ("dtypes.def", "DTYPE(18, boolean, 8, BOOLEAN,", "DTYPE(18, boolean, 8, BOOL,", "'BOOL'"),
    ("faults.def", "FAULT_ROW(15, bad_region,", "FAULT_ROW(14, bad_region,", "fault bad_region: code 14 is another fault's too"),
    ("faults.def", "FAULT_ROW(15, bad_region,", "FAULT_ROW(256, bad_region,",
     "fault bad_region: code 256 does not fit QUEUE.FAULT.CODE"),
    # Chips
    ("configs.def", "CONFIG(k1_mini,", "CONFIG(k1,", "config k1 (k1-mini): another config has that name"),
    ("configs.def", "\"k1-mini\"", "\"k1\"", "config k1_mini (k1): another config has that name"),
    ("configs.def", "\"k1-mini\", 256,", "\"k1-mini\", 0,", "config k1_mini lacks a part"),
    ("configs.def", "800, 10, KAWARA_GLOBAL_FEATURES_LIMIT)", "800, 10, KAWARA_GLOBAL_FEATURES_TEST)", "config k1_mini: its features"),
    ("configs.def", "800, 10, KAWARA_GLOBAL_FEATURES_LIMIT)", "800, 10, 1u << 8)", "config k1_mini: its features"),
    # What the work clock charges
    ("cost.def", "COST(DMA_REQUESTS, 4,", "COST(DMA_REQUESTS, 0,", "cost DMA_REQUESTS: 0 is not 1 to 65535"),
    ("cost.def", "COST(START_VE, 64,", "COST(START_VE, -64,", "cost START_VE: -64 is not 1 to 65535"),
    ("cost.def", "COST(SLOW_OP, 8,", "COST(SLOW_OP, 0x10000,", "cost SLOW_OP: 0x10000 is not 1 to 65535"),
    ("cost.def", "COST(TREE_WIDTH,", "COST(SLOW_OP,", "KAWARA_COST_SLOW_OP"),
    ("cost.def", "COST(SPEED_16, 4,", "COST(SPEED_16, 9,", "cost SPEED_8: elements of 16 bits would be the quicker ones"),
    ("cost.def", "COST(SPEED_4, 16,", "COST(SPEED_4, 7,", "cost SPEED_4: elements of 8 bits would be the quicker ones"),
    ("cost.def", "COST(SPEED_32, 1,", "COST(SPEED_32, 5,", "cost SPEED_16: elements of 32 bits would be the quicker ones"),
]

# The same, for what C sees too.
MISTAKES_IN_C = [
    ("commands.def", "MEMBER(gemm, 44, u32, N,", "MEMBER(gemm, 40, u32, N,",
     "gemm.N: offset 40 overlaps the member before it or leaves a gap"),
    ("commands.def", "STRUCT(stream, 32,", "STRUCT(stream, 40,",
     "struct stream: its members do not fill the 40 bytes that its row says"),
    ("commands.def", "RESERVED(gemm, 53, u8, reserved0, 3)\n", "", "struct gemm has padding that no row names"),
    ("commands.def", "COMMAND(0x21, conv,", "COMMAND(0x20, conv,", "duplicate case value"),
    ("structs.def", "MEMBER(record, 12, u32, commands,", "MEMBER(record, 16, u32, commands,",
     "record.commands: offset 16 overlaps the member before it or leaves a gap"),
    ("structs.def", "STRUCT(signal, 64,", "STRUCT(signal, 72,", "struct signal: its members do not fill the 72 bytes that its row says"),
    ("microcode.def", "INSTR(9, sub,", "INSTR(8, sub,", "duplicate case value"),
    ("dtypes.def", "DTYPE(2, f16,", "DTYPE(1, f16,", "duplicate case value"),
]

WHOLE = {
    CXX: ["-std=c++20", "-fsyntax-only", "-x", "c++", "-include", "kawara/hw/tables_are_sound.h", "/dev/null"],
    C: ["-std=c11", "-fsyntax-only", "-x", "c", "-include", "kawara/hw/check.h", "/dev/null"],
}


def said_of(compiler, *changes):
    with seeded(*changes) as folder:
        return compile_with(compiler, WHOLE[compiler], folder)


class Mistakes(unittest.TestCase):
    def test_the_tables_as_they_are_compile(self):
        for compiler in (CXX, C):
            self.assertEqual(said_of(compiler), [])

    def assert_named(self, compiler, mistakes):
        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(lambda mistake: said_of(compiler, mistake[:3]), mistakes)
            for (table, _, new, words), said in zip(mistakes, answers, strict=True):
                with self.subTest(table=table, mistake=new):
                    self.assertTrue(any(words in error for error in said), f"{words}\nis not among\n" + "\n".join(said))

    def test_each_is_named(self):
        self.assert_named(CXX, MISTAKES)

    def test_those_that_c_sees_are_named_there_too(self):
        self.assert_named(C, MISTAKES_IN_C)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
