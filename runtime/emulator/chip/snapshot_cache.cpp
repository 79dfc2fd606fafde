// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/snapshot_cache.h"

#include <algorithm>

namespace kawara::emulator {
namespace {

bool same(const kawara_check_limits& a, const kawara_check_limits& b) {
  return a.features == b.features && a.sram_bytes == b.sram_bytes && a.config == b.config && a.segment_cycles_max == b.segment_cycles_max;
}

}  // namespace

std::expected<std::shared_ptr<const JobSnapshot>, ChipFault> SnapshotCache::get(AddressSpace& space, const kawara_run_packet& packet,
                                                                                std::span<const kawara_region> table,
                                                                                const kawara_check_limits& limits) {
  for (auto candidate = snapshots_.rbegin(); candidate != snapshots_.rend(); ++candidate) {
    const JobSnapshot& known = **candidate;
    if (known.commands.size() != packet.command_bytes || !same(known.limits, limits) || !known.fits(table)) continue;
    // Each byte is read once: those that were compared are those that run.
    const auto equal = space.equals(packet.commands, known.commands);
    if (!equal) return std::unexpected(equal.error());
    if (!*equal) continue;
    if (auto checked = check_table(table, limits); !checked) return std::unexpected(checked.error());
    std::rotate(candidate.base() - 1, candidate.base(), snapshots_.end());
    return snapshots_.back();
  }
  auto taken = std::make_shared<JobSnapshot>();
  taken->number = ++last_number_;
  taken->limits = limits;
  taken->commands.resize(packet.command_bytes);
  taken->table.assign(table.begin(), table.end());
  if (auto read = space.read(packet.commands, taken->commands); !read) return std::unexpected(read.error());
  if (auto checked = taken->check(); !checked) return std::unexpected(checked.error());
  commands_checked_ += taken->offsets.size();
  keep(taken);
  return taken;
}

void SnapshotCache::keep(std::shared_ptr<const JobSnapshot> snapshot) {
  bytes_ += snapshot->size_bytes();
  snapshots_.push_back(std::move(snapshot));
  auto gone = snapshots_.begin();
  for (; bytes_ > bytes_max_ && std::next(gone) != snapshots_.end(); ++gone) bytes_ -= (*gone)->size_bytes();
  snapshots_.erase(snapshots_.begin(), gone);
}

}  // namespace kawara::emulator
