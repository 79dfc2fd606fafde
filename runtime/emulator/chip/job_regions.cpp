// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/job_regions.h"

#include <algorithm>

namespace kawara::emulator {
namespace {

// The chip's list of scattered pieces: 4 GiB of single host pages. It bounds what a job can make the chip remember.
constexpr size_t kPiecesOfJob = 1 << 20;

class Translator {
 public:
  Translator(const JobSnapshot& job, AddressSpace& space, const Memories& memories, HostMemory::Pins& pins)
      : job_(job), space_(space), memories_(memories), pins_(pins) {}

  std::expected<void, ChipFault> translate(const kawara_region& entry, const RegionUse& use, Region& region) {
    region.place = Region::Place::absent;
    region.data = nullptr;
    region.pieces.clear();
    region.readable = (entry.flags & KAWARA_REGION_READ) != 0;
    region.writable = (entry.flags & KAWARA_REGION_WRITE) != 0;
    region.size = entry.size;
    if (!use.any() || entry.size == 0) return {};
    if ((entry.flags & KAWARA_REGION_KIND) == KAWARA_REGION_SRAM) {
      region.place = Region::Place::sram;
      region.data = memories_.sram.data() + entry.address;
      return {};
    }
    return place(region, entry, use);
  }

 private:
  std::expected<void, ChipFault> place(Region& region, const kawara_region& entry, const RegionUse& use) {
    std::expected<std::span<const Run>, ChipFault> runs;
    const auto walk = [&](const OperandPlace& operand, bool write) -> std::expected<void, ChipFault> {
      runs = space_.translate(entry.address, entry.size, write, kPiecesOfJob - pieces_);
      if (!runs) return std::unexpected(job_.placed(runs.error(), operand));
      return {};
    };
    if (use.read)
      if (auto allowed = walk(*use.read, false); !allowed) return allowed;
    if (use.written)
      if (auto allowed = walk(*use.written, true); !allowed) return allowed;
    if (runs->size() == 1 && runs->front().local) {
      region.place = Region::Place::local;
      region.data = memories_.local.data() + runs->front().address;
      return {};
    }
    if (use.computed) {
      const uint64_t split = runs->front().local ? runs->front().size : 0;
      return std::unexpected(job_.placed({.code = KAWARA_FAULT_region_split, .address = entry.address + split}, *use.computed));
    }
    return gather(region, *runs, use.read ? *use.read : *use.written);
  }

  // The pieces of a region that DMA alone uses.
  std::expected<void, ChipFault> gather(Region& region, std::span<const Run> runs, const OperandPlace& operand) {
    region.place = Region::Place::host;
    uint64_t offset = 0;
    for (const Run& run : runs) {
      for (uint64_t done = 0; done < run.size;) {
        // A run on the bus may lead through several ranges of host memory: as far as one goes, else page by page.
        uint64_t size = run.size - done;
        std::span<std::byte> bytes = run.local ? memories_.local.subspan(run.address + done, size) : pins_.find(run.address + done, size);
        if (bytes.empty()) {
          const uint64_t page_left = HostMemory::kPageBytes - (run.address + done) % HostMemory::kPageBytes;
          size = std::min(size, page_left);
          bytes = pins_.find(run.address + done, size);
        }
        if (bytes.empty() || ++pieces_ > kPiecesOfJob) {
          const uint32_t code = bytes.empty() ? KAWARA_FAULT_host_bus_error : KAWARA_FAULT_region_split;
          return std::unexpected(job_.placed({.code = code, .address = run.address + done}, operand));
        }
        add_piece(region, offset + done, bytes);
        done += size;
      }
      offset += run.size;
    }
    return {};
  }

  static void add_piece(Region& region, uint64_t offset, std::span<std::byte> bytes) {
    if (!region.pieces.empty() && region.pieces.back().data + region.pieces.back().size == bytes.data()) {
      region.pieces.back().size += bytes.size();
    } else {
      region.pieces.push_back({offset, bytes.data(), bytes.size()});
    }
  }

  const JobSnapshot& job_;
  AddressSpace& space_;
  const Memories& memories_;
  HostMemory::Pins& pins_;
  size_t pieces_ = 0;
};

}  // namespace

std::expected<void, ChipFault> translate_regions(const JobSnapshot& job, std::span<const kawara_region> table, AddressSpace& space,
                                                 const Memories& memories, HostMemory::Pins& pins, std::vector<Region>& regions) {
  Translator translator(job, space, memories, pins);
  if (regions.size() < table.size()) regions.resize(table.size());
  for (size_t index = 0; index < table.size(); ++index) {
    if (auto done = translator.translate(table[index], job.uses[index], regions[index]); !done) return done;
  }
  return {};
}

}  // namespace kawara::emulator
