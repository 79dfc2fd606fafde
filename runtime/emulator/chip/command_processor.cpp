// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/command_processor.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <limits>

namespace kawara::emulator {
namespace {

uint32_t saturated(uint64_t count) { return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max())); }

JobEnd broken(ChipFault fault, const std::exception& error) {
  fault.code = KAWARA_FAULT_engine_hang;
  return {.kind = JobEnd::Kind::broken, .fault = fault, .message = error.what()};
}

}  // namespace

CommandProcessor::CommandProcessor(const kawara_config& config, HostMemory& host, LocalMemory& local, Sram& sram, Execute execute,
                                   JobControl control)
    : config_(config),
      host_(host),
      local_(local),
      sram_(sram),
      execute_(std::move(execute)),
      control_(std::move(control)),
      space_(host, local.bytes(), control_.stopped),
      progress_{.retired =
                    [this](uint32_t command) {
                      first_unretired_ = command + 1;
                      control_.retired(running_->queue, running_->snapshot->offsets[command]);
                    },
                .work = [this] { control_.work(running_->queue); },
                .aborted = control_.stopped} {}

JobEnd CommandProcessor::start(QueueJob& job, uint32_t features) {
  job.segment = 0;
  job.segment_cycles = 0;
  job.health = {};
  try {
    const auto prepared = prepare(job, features);
    // A walk that was cut short looks like a fault.
    if (control_.stopped()) return {.kind = JobEnd::Kind::stopped};
    if (!prepared) return {.kind = JobEnd::Kind::faulted, .fault = prepared.error()};
  } catch (const std::exception& error) {
    return broken({}, error);
  }
  job.hang_at = control_.hang_at(job.queue, static_cast<uint32_t>(job.snapshot->offsets.size()));
  return run_segment(job);
}

JobEnd CommandProcessor::resume(QueueJob& job) { return run_segment(job); }

// All that can be refused, before anything of the job runs.
std::expected<void, ChipFault> CommandProcessor::prepare(QueueJob& job, uint32_t features) {
  space_.enter(job.context.root);
  job.table.resize(job.packet.region_count);
  if (auto read = space_.read(job.packet.regions, std::as_writable_bytes(std::span(job.table))); !read) return read;
  const kawara_check_limits limits{.features = features,
                                   .sram_bytes = sram_.bytes().size(),
                                   .config = &config_,
                                   .segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2};
  auto snapshot = snapshots_.get(space_, job.packet, job.table, limits);
  commands_checked_.store(snapshots_.commands_checked(), std::memory_order_relaxed);
  if (!snapshot) return std::unexpected(snapshot.error());
  job.snapshot = std::move(*snapshot);
  auto record = find_record(job);
  if (!record) return std::unexpected(record.error());
  job.record = *record;
  const Memories memories{host_, local_.bytes(), sram_.bytes()};
  if (auto translated = translate_regions(*job.snapshot, job.table, space_, memories, job.pins, job.regions); !translated)
    return translated;
  price(job);
  return {};
}

// Regions that lie elsewhere than the last time cost something else.
void CommandProcessor::price(QueueJob& job) {
  const auto regions = std::span(job.regions).first(job.table.size());
  std::shared_ptr<const JobCost>& known = job.snapshot->cost;
  if (!known || !known->fits(regions)) known = std::make_shared<const JobCost>(job_cost(*job.snapshot, regions));
  job.cost = known;
}

// A record is 64-byte aligned, so it lies in one page.
std::expected<std::span<std::byte>, ChipFault> CommandProcessor::find_record(QueueJob& job) {
  if (job.packet.record == 0) return {};
  const auto runs = space_.translate(job.packet.record, sizeof(kawara_record), true, 1);
  if (!runs) return std::unexpected(runs.error());
  const Run& run = runs->front();
  const auto record = run.local ? local_.bytes().subspan(run.address, run.size) : job.pins.find(run.address, run.size);
  if (record.empty()) return std::unexpected(ChipFault{.code = KAWARA_FAULT_host_bus_error, .write = true, .address = run.address});
  return record;
}

// No context may see what another one left in SRAM.
void CommandProcessor::take_sram(const QueueJob& job) {
  uint64_t end = 0;
  for (size_t index = 0; index < job.table.size(); ++index)
    if (job.regions[index].place == Region::Place::sram) end = std::max(end, job.table[index].address + job.table[index].size);
  if (end == 0) return;
  if (sram_owner_ != job.context.identity) {
    sram_.clear(sram_dirty_);
    sram_dirty_ = 0;
    sram_owner_ = job.context.identity;
  }
  sram_dirty_ = std::max(sram_dirty_, end);
}

JobEnd CommandProcessor::run_segment(QueueJob& job) {
  const JobSnapshot& snapshot = *job.snapshot;
  if (job.segment < snapshot.segment_ends.size()) {
    const uint32_t begin = snapshot.segment_begin(job.segment), end = snapshot.segment_ends[job.segment];
    const bool hangs = job.hang_at && *job.hang_at < end;
    take_sram(job);
    JobEnd ended = execute(job, begin, hangs ? *job.hang_at : end);
    if (ended.kind != JobEnd::Kind::retired) return ended;
    if (hangs) return {.kind = JobEnd::Kind::hung};
    job.segment_cycles = job.cost->segment_cycles[job.segment];
    if (++job.segment < snapshot.segment_ends.size()) return {.kind = JobEnd::Kind::suspended};
  }
  write_events(job);
  write_record(job);
  return {};
}

JobEnd CommandProcessor::execute(QueueJob& job, uint32_t begin, uint32_t end) {
  const JobSnapshot& snapshot = *job.snapshot;
  const Job work{.snapshot = snapshot.number,
                 .commands = snapshot.commands,
                 .offsets = snapshot.offsets,
                 .table = job.table,
                 .regions = std::span(job.regions).first(job.table.size())};
  running_ = &job;
  first_unretired_ = begin;
  try {
    if (begin != end) job.health += execute_(work, begin, end, progress_);
  } catch (const std::exception& error) {
    // The command that had not retired is the best guess at the guilty one.
    const bool guessed = first_unretired_ < snapshot.offsets.size();
    return broken(guessed ? snapshot.placed({}, {.command = first_unretired_}) : ChipFault{}, error);
  }
  return {.kind = control_.stopped() ? JobEnd::Kind::stopped : JobEnd::Kind::retired};
}

// Local memory and SRAM are one piece; host memory may change its piece within an event.
void CommandProcessor::write_events(const QueueJob& job) {
  for (size_t number = 0; number < job.snapshot->events.size(); ++number) {
    const uint64_t operand = job.snapshot->events[number], begin = kawara_operand_offset(operand);
    const Region& region = job.regions[kawara_operand_region(operand)];
    const auto bytes = std::as_bytes(std::span(job.cost->events).subspan(number, 1));
    if (region.data) std::memcpy(region.data + begin, bytes.data(), bytes.size());
    for (const Extent& piece : region.pieces) {
      const uint64_t from = std::max(begin, piece.offset), to = std::min(begin + bytes.size(), piece.offset + piece.size);
      if (from < to) std::memcpy(piece.data + (from - piece.offset), bytes.data() + (from - begin), to - from);
    }
  }
}

void CommandProcessor::write_record(const QueueJob& job) {
  if (job.record.empty()) return;
  const kawara_record record{.tag = job.packet.tag,
                             .status = 1,
                             .commands = static_cast<uint32_t>(job.snapshot->offsets.size()),
                             .cycles = job.cost->total.cycles,
                             .nan = saturated(job.health.nan),
                             .inf = saturated(job.health.inf),
                             .saturated = saturated(job.health.saturated),
                             .dropped = saturated(job.health.dropped),
                             .reserved = {}};
  // Status and the count beside it are one 64-bit store, after all the rest.
  constexpr size_t status = offsetof(kawara_record, status), behind = status + sizeof(uint64_t);
  const auto bytes = std::as_bytes(std::span(&record, 1));
  std::memcpy(job.record.data(), bytes.data(), status);
  std::memcpy(job.record.data() + behind, bytes.data() + behind, bytes.size() - behind);
  uint64_t last;
  std::memcpy(&last, bytes.data() + status, sizeof(last));
  std::atomic_ref(*reinterpret_cast<uint64_t*>(job.record.data() + status)).store(last, std::memory_order_release);
}

}  // namespace kawara::emulator
