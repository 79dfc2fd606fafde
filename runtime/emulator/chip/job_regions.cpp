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

  std::expected<Region, ChipFault> translate(const kawara_region& entry, const RegionUse& use) {
    Region region;
    region.readable = (entry.flags & KAWARA_REGION_READ) != 0;
    region.writable = (entry.flags & KAWARA_REGION_WRITE) != 0;
    region.size = entry.size;
    if (!use.any() || entry.size == 0) return region;
    if ((entry.flags & KAWARA_REGION_KIND) == KAWARA_REGION_SRAM) {
      region.place = Region::Place::sram;
      region.data = memories_.sram.data() + entry.address;
      return region;
    }
    if (auto placed = place(region, entry, use); !placed) return std::unexpected(placed.error());
    return region;
  }

 private:
  std::expected<void, ChipFault> place(Region& region, const kawara_region& entry, const RegionUse& use) {
    std::expected<std::vector<Run>, ChipFault> runs;
    const auto walk = [&](const OperandPlace& operand, bool write) -> std::expected<void, ChipFault> {
      runs = space_.translate(entry.address, entry.size, write, kPiecesOfJob - pieces_);
      if (!runs) return std::unexpected(placed(runs.error(), job_, operand));
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
      return std::unexpected(placed({.code = KAWARA_FAULT_region_split, .address = entry.address + split}, job_, *use.computed));
    }
    return gather(region, *runs, use.read ? *use.read : *use.written);
  }

  // The pieces of a region that DMA alone uses.
  std::expected<void, ChipFault> gather(Region& region, const std::vector<Run>& runs, const OperandPlace& operand) {
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
          return std::unexpected(placed({.code = code, .address = run.address + done}, job_, operand));
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

std::expected<std::vector<Region>, ChipFault> translate_regions(const JobSnapshot& job, AddressSpace& space, const Memories& memories,
                                                                HostMemory::Pins& pins) {
  const std::vector<RegionUse> uses = region_uses(job);
  Translator translator(job, space, memories, pins);
  std::vector<Region> regions;
  regions.reserve(job.table.size());
  for (size_t index = 0; index < job.table.size(); ++index) {
    auto region = translator.translate(job.table[index], uses[index]);
    if (!region) return std::unexpected(region.error());
    regions.push_back(std::move(*region));
  }
  return regions;
}

}  // namespace kawara::emulator
