// SPDX-License-Identifier: Apache-2.0
// A job as the chip takes it: checked, then run on the reference executor, over memory that ends where its regions end.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include "emulator/reference/reference.h"
#include "fuzz/target.h"
#include "kawara/hw/check.h"
#include "kawara/hw/decode.h"
#include "kawara/hw/text.h"
#include "race_check.h"
#include "unwritten_check.h"

namespace kawara::fuzz {

struct JobInput {
  std::vector<kawara_region> regions;
  std::vector<std::byte> commands;  // the allocator aligns it to 16
  bool in_host = false;             // regions lie in host memory, in pieces, where only DMA commands use them
};

// Points that a command visits, an empty extent counting as one.
inline uint64_t points_of(const hw::CommandView& command) {
  uint64_t points = 1;
  const auto times = [&](auto... extents) { ((points = std::min(points, uint64_t{1} << 31) * std::max<uint64_t>(extents, 1)), ...); };
  if (command.opcode() == KAWARA_COMMAND_vector) {
    for (const uint32_t extent : command.section().fields().extent) times(extent);
  } else if (command.opcode() == KAWARA_COMMAND_gemm) {
    const auto& gemm = command.body<kawara_gemm>();
    times(gemm.G, gemm.H, gemm.M, gemm.N, gemm.K);
  } else if (command.opcode() == KAWARA_COMMAND_conv) {
    const auto& conv = command.body<kawara_conv>();
    times(conv.N, conv.groups, conv.IC, conv.OC);
    for (int i = 0; i < 3; ++i) times(conv.out[i], conv.kernel[i]);
  } else if (command.opcode() == KAWARA_COMMAND_copy) {
    for (const uint32_t extent : command.body<kawara_copy>().extent) times(extent);
  }
  return command.has_section() ? points * std::max<uint64_t>(1, command.section().instrs().size()) : points;
}

// Memory of exactly the regions' sizes, so that a sanitizer sees whoever leaves one.
class JobMemory {
 public:
  JobMemory(std::span<const kawara_region> table, bool in_host) {
    constexpr uint64_t kPiece = 48;
    for (const kawara_region& row : table) {
      emulator::Region& region = regions.emplace_back();
      region.readable = (row.flags & KAWARA_REGION_READ) != 0;
      region.writable = (row.flags & KAWARA_REGION_WRITE) != 0;
      region.size = row.size;
      const bool sram = (row.flags & KAWARA_REGION_KIND) == KAWARA_REGION_SRAM;
      region.place = sram ? emulator::Region::Place::sram : in_host ? emulator::Region::Place::host : emulator::Region::Place::local;
      if (sram || !in_host) {
        region.data = allocate(row.size);
        continue;
      }
      for (uint64_t offset = 0; offset < row.size; offset += kPiece) {
        const uint64_t size = std::min(kPiece, row.size - offset);
        region.pieces.push_back({offset, allocate(size), size});
      }
    }
  }

  std::vector<emulator::Region> regions;

  // All bytes, region after region.
  Bytes contents(bool read_only_alone) const {
    Bytes bytes;
    for (const emulator::Region& region : regions) {
      if (read_only_alone && region.writable) continue;
      if (region.data != nullptr) bytes.insert(bytes.end(), region.data, region.data + region.size);
      for (const emulator::Extent& piece : region.pieces) bytes.insert(bytes.end(), piece.data, piece.data + piece.size);
    }
    return bytes;
  }

 private:
  std::byte* allocate(uint64_t size) {
    auto& block = blocks_.emplace_back(new std::byte[size]);
    for (uint64_t i = 0; i < size; ++i) block[i] = static_cast<std::byte>((next_ += 0x9d) >> 3);
    return block.get();
  }

  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  uint32_t next_ = 0;
};

// What the compiler asks of its programs, it may ask of whatever the chip takes.
inline void look_for_mistakes(const JobInput& input) {
  const auto filled = std::make_unique<bool[]>(input.regions.size());
  if (compiler::find_race(input.commands, input.regions)) return;
  const auto read = compiler::find_unwritten_read(input.commands, input.regions, {filled.get(), input.regions.size()});
  if (!read) return;
  promise(read->bytes.begin < read->bytes.end && read->bytes.end <= input.regions[read->region].size, "what is read lies in its region");
}

// True: the chip takes the job; where it is small enough it has run twice by then, with the same result.
inline bool check_and_run(const JobInput& input) {
  constexpr uint64_t kMostBytes = uint64_t{1} << 18, kMostPoints = uint64_t{1} << 14;
  static constexpr kawara_config kConfig{"k1-mini", 256, 2048, 32, 32, 64, 1000, 100, 800, 10, KAWARA_GLOBAL_FEATURES_LIMIT};
  const kawara_check_limits limits{
      .features = 1, .sram_bytes = 2 << 20, .config = &kConfig, .segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2};
  kawara_check_fault fault{};
  std::vector<uint32_t> offsets(input.commands.size() / 32);  // exactly what check.h asks for
  const int count = kawara_check(input.commands.data(), input.commands.size(), input.regions.data(),
                                 static_cast<uint32_t>(input.regions.size()), &limits, offsets.data(), &fault);
  if (count < 0) {
    promise(fault.code != KAWARA_FAULT_none, "a refusal has a fault code");
    promise(fault.command <= input.commands.size(), "a fault's command lies in the buffer");
    return false;
  }
  promise(static_cast<size_t>(count) <= offsets.size() && fault.code == KAWARA_FAULT_none, "an accepted job has no fault");
  offsets.resize(static_cast<size_t>(count));
  look_for_mistakes(input);

  uint64_t bytes = 0, points = 0;
  bool dma_alone = true;
  for (const kawara_region& region : input.regions) bytes = std::min(bytes + region.size, kMostBytes * 2);
  for (const uint32_t offset : offsets) {
    const hw::CommandView command(input.commands, offset);
    points += points_of(command);
    dma_alone &= command.opcode() == KAWARA_COMMAND_copy || command.opcode() == KAWARA_COMMAND_nop;
  }
  if (bytes > kMostBytes || points > kMostPoints) return true;

  const auto execute = emulator::reference_executor()({}, {});
  const auto run = [&] {
    JobMemory memory(input.regions, input.in_host && dma_alone);
    const Bytes before = memory.contents(true);
    uint32_t retired = 0;
    const emulator::Job job{.commands = input.commands, .offsets = offsets, .table = input.regions, .regions = memory.regions};
    execute(job, 0, static_cast<uint32_t>(count), {[&](uint32_t) { ++retired; }, {}, {}});
    promise(retired == static_cast<uint32_t>(count), "every command of an accepted job retires");
    promise(before == memory.contents(true), "what a job may not write is as it was");
    return memory.contents(false);
  };
  promise(run() == run(), "the same job gives the same bits");
  return true;
}

}  // namespace kawara::fuzz
