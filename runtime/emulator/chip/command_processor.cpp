// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/command_processor.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <exception>
#include <limits>

namespace kawara::emulator {
namespace {

uint32_t saturated(uint64_t count) { return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max())); }

JobEnd faulted(const ChipFault& fault) { return {.kind = JobEnd::Kind::faulted, .fault = fault}; }

}  // namespace

JobEnd CommandProcessor::run(const kawara_run_packet& packet, const JobContext& context, uint32_t features, const JobControl& control) {
  AddressSpace space(host_, local_.bytes(), context.root, control.stopped);
  HostMemory::Pins pins(host_);
  JobEnd end;
  try {
    end = prepare(packet, space, features, pins);
    // A walk that was cut short looks like a fault.
    if (control.stopped()) return {.kind = JobEnd::Kind::stopped};
    if (end.kind != JobEnd::Kind::retired) return end;
    take_sram(context.identity);
    Health health;
    end = execute(control, health);
    if (end.kind == JobEnd::Kind::retired) write_record(packet, health);
  } catch (const std::exception& error) {
    end = {.kind = JobEnd::Kind::broken, .fault = {.code = KAWARA_FAULT_engine_hang}, .message = error.what()};
  }
  return end;
}

// All that can be refused, before anything of the job runs.
JobEnd CommandProcessor::prepare(const kawara_run_packet& packet, AddressSpace& space, uint32_t features, HostMemory::Pins& pins) {
  if (auto taken = job_.take(space, packet); !taken) return faulted(taken.error());
  if (auto checked = job_.check(features, sram_.bytes().size(), config_); !checked) return faulted(checked.error());
  auto record = find_record(packet.record, space, pins);
  if (!record) return faulted(record.error());
  record_ = *record;
  auto regions = translate_regions(job_, space, {host_, local_.bytes(), sram_.bytes()}, pins);
  if (!regions) return faulted(regions.error());
  regions_ = std::move(*regions);
  return {};
}

// A record is 64-byte aligned, so it lies in one page.
std::expected<CommandProcessor::Record, ChipFault> CommandProcessor::find_record(uint64_t address, AddressSpace& space,
                                                                                 HostMemory::Pins& pins) {
  if (address == 0) return Record{};
  const auto runs = space.translate(address, sizeof(kawara_record), true, 1);
  if (!runs) return std::unexpected(runs.error());
  const Run& run = runs->front();
  const Record record = run.local ? local_.bytes().subspan(run.address, run.size) : pins.find(run.address, run.size);
  if (record.empty()) return std::unexpected(ChipFault{.code = KAWARA_FAULT_host_bus_error, .write = true, .address = run.address});
  return record;
}

// No context may see what another one left in SRAM.
void CommandProcessor::take_sram(uint64_t identity) {
  uint64_t end = 0;
  for (size_t index = 0; index < regions_.size(); ++index)
    if (regions_[index].place == Region::Place::sram) end = std::max(end, job_.table[index].address + job_.table[index].size);
  if (end == 0) return;
  if (sram_owner_ != identity) {
    sram_.clear(sram_dirty_);
    sram_dirty_ = 0;
    sram_owner_ = identity;
  }
  sram_dirty_ = std::max(sram_dirty_, end);
}

JobEnd CommandProcessor::execute(const JobControl& control, Health& health) {
  const auto count = static_cast<uint32_t>(job_.offsets.size());
  const std::optional<uint32_t> hang = control.hang_at(count);
  const Job job{.commands = job_.commands, .offsets = job_.offsets, .table = job_.table, .regions = regions_};
  uint32_t first_unretired = 0;
  const Progress progress{
      .retired =
          [&](uint32_t command) {
            first_unretired = command + 1;
            control.retired(job_.offsets[command]);
          },
      .work = control.work,
      .aborted = control.stopped,
  };
  try {
    if (const uint32_t end = hang.value_or(count); end != 0) health = execute_(job, end, progress);
  } catch (const std::exception& error) {
    // The command that had not retired is the best guess at the guilty one.
    JobEnd broken{.kind = JobEnd::Kind::broken, .fault = {.code = KAWARA_FAULT_engine_hang}, .message = error.what()};
    if (first_unretired < count) broken.fault = placed(broken.fault, job_, {.command = first_unretired});
    return broken;
  }
  if (control.stopped()) return {.kind = JobEnd::Kind::stopped};
  return {.kind = hang ? JobEnd::Kind::hung : JobEnd::Kind::retired};
}

void CommandProcessor::write_record(const kawara_run_packet& packet, const Health& health) {
  if (record_.empty()) return;
  // cycles: 0 until the chip charges cycles.
  const kawara_record record{.tag = packet.tag,
                             .status = 1,
                             .commands = static_cast<uint32_t>(job_.offsets.size()),
                             .cycles = 0,
                             .nan = saturated(health.nan),
                             .inf = saturated(health.inf),
                             .saturated = saturated(health.saturated),
                             .dropped = saturated(health.dropped),
                             .reserved = {}};
  // Status and the count beside it are one 64-bit store, after all the rest.
  constexpr size_t status = offsetof(kawara_record, status), behind = status + sizeof(uint64_t);
  const auto bytes = std::as_bytes(std::span(&record, 1));
  std::memcpy(record_.data(), bytes.data(), status);
  std::memcpy(record_.data() + behind, bytes.data() + behind, bytes.size() - behind);
  uint64_t last;
  std::memcpy(&last, bytes.data() + status, sizeof(last));
  std::atomic_ref(*reinterpret_cast<uint64_t*>(record_.data() + status)).store(last, std::memory_order_release);
}

}  // namespace kawara::emulator
