// SPDX-License-Identifier: Apache-2.0
#include "prices.h"

#include <algorithm>

#include "encode_command.h"
#include "kawara/hw/cost.h"

namespace kawara::compiler {

namespace {

uint8_t memory_of(const Buffer& buffer) {
  const bool host = buffer.role == Buffer::Role::input || buffer.role == Buffer::Role::output;
  return host ? KAWARA_MEMORY_HOST : KAWARA_MEMORY_LOCAL;
}

Price price(const Commands& model, const Command& command, const kawara_config& target) {
  const auto bytes = encode_unplaced(command);
  const size_t count = command.buffers.size();
  std::vector<uint8_t> memories(count);
  std::ranges::transform(command.buffers, memories.begin(), [&](uint32_t buffer) { return memory_of(model.buffers[buffer]); });
  const std::vector<kawara_region> anywhere(count);
  kawara_cost_view view{.config = &target, .regions = anywhere.data(), .n_regions = static_cast<uint32_t>(count), .memories = nullptr};
  kawara_cost cost{};
  const auto charge = [&] { kawara_cost_command(reinterpret_cast<const kawara_header*>(bytes.data()), &view, &cost); };
  Price price;
  charge();
  price.most = cost.alone;
  view.memories = memories.data();
  charge();
  price.cycles = cost.alone;
  // One buffer at a time in SRAM: what moves there is what moves for this buffer.
  for (size_t i = 0; i < count; ++i) {
    std::ranges::fill(memories, static_cast<uint8_t>(KAWARA_MEMORY_LOCAL));
    memories[i] = KAWARA_MEMORY_SRAM;
    charge();
    price.bytes.push_back(cost.bytes[KAWARA_MEMORY_SRAM]);
  }
  return price;
}

}  // namespace

std::vector<Price> prices(const Commands& model, const kawara_config& target) {
  std::vector<Price> prices;
  prices.reserve(model.commands.size());
  for (const Command& command : model.commands) prices.push_back(price(model, command, target));
  return prices;
}

}  // namespace kawara::compiler
