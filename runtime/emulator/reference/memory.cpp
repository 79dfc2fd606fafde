// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/memory.h"

#include <algorithm>
#include <cstring>

namespace kawara::emulator::reference {

std::span<std::byte> Memory::run(int64_t offset, uint64_t bytes) {
  const uint64_t at = origin_ + static_cast<uint64_t>(offset);
  if (region_.data != nullptr) return {region_.data + at, bytes};
  const auto holds = [&](const Extent& piece) { return at >= piece.offset && at - piece.offset < piece.size; };
  if (!holds(region_.pieces[piece_])) {
    const auto next = std::ranges::upper_bound(region_.pieces, at, {}, &Extent::offset);
    piece_ = static_cast<size_t>(next - region_.pieces.begin()) - 1;
  }
  const Extent& piece = region_.pieces[piece_];
  const uint64_t inside = at - piece.offset;
  return {piece.data + inside, std::min(bytes, piece.size - inside)};
}

void Memory::read(int64_t offset, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<std::byte> from = run(offset, bytes.size());
    std::memcpy(bytes.data(), from.data(), from.size());
    offset += static_cast<int64_t>(from.size());
    bytes = bytes.subspan(from.size());
  }
}

void Memory::write(int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<std::byte> to = run(offset, bytes.size());
    std::memmove(to.data(), bytes.data(), to.size());
    offset += static_cast<int64_t>(to.size());
    bytes = bytes.subspan(to.size());
  }
}

}  // namespace kawara::emulator::reference
