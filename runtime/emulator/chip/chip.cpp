// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/chip.h"

#include "emulator/chip/chip_state.h"

namespace kawara::emulator {

Chip::Chip(const kawara_config& config, HostMemory& host, ExecutorFactory executor, Interrupt interrupt)
    : state_(std::make_unique<State>(config, host, executor, std::move(interrupt))) {}

Chip::~Chip() = default;

uint32_t Chip::read(uint32_t offset) { return state_->read(offset); }

void Chip::write(uint32_t offset, uint32_t value) { state_->write(offset, value); }

std::span<std::byte> Chip::local() const { return state_->local.bytes(); }

ChipCounters Chip::counters() const { return state_->counters(); }

int Chip::local_fd() const { return state_->local.fd(); }

}  // namespace kawara::emulator
