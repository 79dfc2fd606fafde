// SPDX-License-Identifier: Apache-2.0
#include "kawara/buffer.h"

#include "device_state.h"

namespace kawara {

std::span<std::byte> Buffer::bytes() const {
  state_->device->check_process();
  return state_->bound.mapping.bytes();
}
DeviceAddress Buffer::address() const { return state_->bound.address; }
uint64_t Buffer::size_bytes() const { return state_->bound.mapping.bytes().size(); }
Memory Buffer::memory() const { return state_->memory; }

}  // namespace kawara
