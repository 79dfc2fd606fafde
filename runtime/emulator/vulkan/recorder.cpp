// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/recorder.h"

#include <algorithm>

#include "emulator/vulkan/command_nests.h"
#include "emulator/vulkan/lane_nest.h"
#include "emulator/vulkan/matrix_commands.h"
#include "emulator/vulkan/section_shader.h"
#include "emulator/vulkan/word.h"
#include "kawara/error.h"
#include "kawara/hw/sequences.h"

namespace kawara::emulator::vulkan {

namespace {

// A dispatch's points are counted in 31 bits, and a line of workgroups has at most 65535.
constexpr uint64_t kPointsMax = uint64_t{1} << 30;
constexpr uint64_t kGroupsPerLine = 1 << 15;
// Points of reductions are long: few of them to a workgroup, so that every thread gets some.
constexpr uint32_t kLocalSize = 64, kLocalSizeReduced = 8;

// Nanoseconds of one point, as two cores of a software device take them: generous, since it bounds the time to an abort.
uint64_t point_picoseconds(const NestPlan& plan) {
  uint64_t instructions = 20;
  for (const PlanPhase& phase : plan.phases) {
    uint64_t steps = 1;
    for (const uint8_t loop : phase.loops) steps *= plan.reduced[loop].extent;
    const auto count = [&](unsigned begin, unsigned end) {
      uint64_t result = 0;
      for (unsigned i = begin; i < end; ++i) result += std::max<size_t>(1, steps_of(plan.instrs[i].op).size());
      return result;
    };
    instructions += count(phase.fields.before, phase.fields.step) + count(phase.fields.after, phase.fields.end) +
                    std::min<uint64_t>(steps, uint64_t{1} << 40) * count(phase.fields.step, phase.fields.after);
  }
  return instructions * 500;
}

bool touches_host(const Job& job, uint64_t operand) {
  const uint32_t region = kawara_operand_region(operand);
  return region < job.regions.size() && job.regions[region].place == Region::Place::host;
}

bool is_host_copy(const hw::CommandView& command, const Job& job) {
  if (command.opcode() != KAWARA_COMMAND_copy) return false;
  const auto& copy = command.body<kawara_copy>();
  return touches_host(job, copy.src) || touches_host(job, copy.dst) || touches_host(job, copy.index) ||
         touches_host(job, copy.header.limit);
}

}  // namespace

std::unique_ptr<Recording> Recorder::record(const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
  recording_ = std::make_unique<Recording>(device_);
  progress_ = &progress;
  for (command_ = begin; command_ < end; ++command_) {
    command_has_dispatch_ = false;
    const hw::CommandView command(job.commands, job.offsets[command_]);
    if (is_host_copy(command, job))
      recording_->add_host_copy(command_);
    else
      add_command(command, job);
    recording_->retire(command_);
    if (progress.aborted()) return nullptr;
  }
  recording_->finish();
  return std::move(recording_);
}

void Recorder::add_command(const hw::CommandView& command, const Job&) {
  switch (command.header().opcode) {
    case KAWARA_COMMAND_vector: return add_nest(vector_nest(command));
    case KAWARA_COMMAND_copy: return add_nest(copy_nest(command.body<kawara_copy>()));
    case KAWARA_COMMAND_gemm: return add_gemm(*this, command);
    case KAWARA_COMMAND_conv: return add_conv(*this, command);
    default: return;  // nop: the order of the recording is what it waits for
  }
}

void Recorder::add_dispatch(Dispatch dispatch, const std::string& identity, const std::function<std::vector<uint32_t>()>& generate) {
  dispatch.pipeline = pipelines_.find(identity);
  dispatch.joins_previous = command_has_dispatch_;
  if (dispatch.pipeline == VK_NULL_HANDLE) {
    dispatch.pipeline = with_word(*progress_, [&] { return pipelines_.get(identity, generate); });
    warm(dispatch);
  }
  recording_->add(std::move(dispatch), command_);
  command_has_dispatch_ = true;
}

// Drivers leave the larger part of compilation to the first dispatch. It happens here, shader by shader with word to the
// command processor in between, rather than all together in a slice of the first run.
void Recorder::warm(Dispatch dispatch) {
  VulkanBuffer nothing(device_, 4096);
  std::ranges::fill(nothing.bytes(), std::byte{0});
  if (dispatch.is_pushed)
    dispatch.parameters = dispatch.idle_parameters;
  else
    std::ranges::fill_n(dispatch.parameters.begin() + dispatch.count_at, sizeof(uint32_t), std::byte{0});
  dispatch.groups_x = dispatch.groups_y = dispatch.groups_z = 1;
  Recording once(device_);
  once.add(std::move(dispatch), 0);
  once.finish();
  once.write_addresses([&](const Place&) { return nothing.address(); });
  device_->run(once.steps().front().commands, *progress_);
  progress_->work();
}

void Recorder::add_nest(const Nest& nest) {
  if (std::ranges::any_of(nest.extent, [](uint32_t extent) { return extent == 0; })) return;
  const NestPlan planned = plan(nest);
  const uint32_t local_size = planned.steps() > planned.phases.size() ? kLocalSizeReduced : kLocalSize;
  const uint64_t picoseconds = point_picoseconds(planned);
  if (lanes_ != 0)
    if (const auto lanes = lane_nest(planned, lanes_)) return add_lane_nest(*this, *lanes, picoseconds);
  add_box(planned, fmt::format("nest {} ", local_size) + planned.identity(), local_size, Box::whole(planned), picoseconds);
}

// Cuts the box along its outermost loop until a part fits a slice; points are independent of each other.
void Recorder::add_box(const NestPlan& plan, const std::string& identity, uint32_t local_size, Box box, uint64_t picoseconds) {
  const uint64_t points = box.points();
  const uint64_t most = std::clamp<uint64_t>(Recording::kSliceNs * 1000 / picoseconds, 64, kPointsMax);
  const auto outermost = std::ranges::find_if(box.count, [](uint64_t count) { return count > 1; });
  if (points > most && outermost != box.count.end()) {
    const size_t loop = static_cast<size_t>(outermost - box.count.begin());
    const uint64_t inner = points / *outermost, each = std::max<uint64_t>(1, most / inner);
    const uint64_t end = box.first[loop] + *outermost;
    Box part = box;
    for (uint64_t at = box.first[loop]; at < end; at += each) {
      part.first[loop] = at;
      part.count[loop] = std::min(each, end - at);
      // Part that is still too large has one value in this loop, so the next cut takes a loop further in.
      add_box(plan, identity, local_size, part, picoseconds);
    }
    return;
  }
  const uint64_t groups = (points + local_size - 1) / local_size;
  Dispatch dispatch;
  dispatch.groups_x = static_cast<uint32_t>(std::min(groups, kGroupsPerLine));
  dispatch.groups_y = static_cast<uint32_t>((groups + kGroupsPerLine - 1) / kGroupsPerLine);
  const NestParameters parameters(plan, box, uint64_t{dispatch.groups_x} * local_size);
  dispatch.parameters.resize(parameters.size_bytes());
  parameters.write(dispatch.parameters);
  for (const Parameter& parameter : parameters.list()) {
    if (parameter.kind == ParameterKind::stream_address) {
      const PlanStream& stream = plan.streams[parameter.a];
      Place place = stream.fields.place;
      if (!NestPlan::counts_nibbles(stream.fields.dtype)) place.offset += static_cast<uint64_t>(stream.origin);
      dispatch.slots.push_back({parameter.offset, place});
    }
    if (parameter.kind == ParameterKind::limit_address) dispatch.slots.push_back({parameter.offset, plan.limit.place});
    if (parameter.kind == ParameterKind::health_address) dispatch.slots.push_back({parameter.offset, {Place::kHealth, 0}});
    if (parameter.kind == ParameterKind::points) dispatch.count_at = parameter.offset;
  }
  dispatch.estimate_ns = points * picoseconds / 1000;
  add_dispatch(std::move(dispatch), identity, [&] { return optimise(SectionShader(plan, local_size).build()); });
}

}  // namespace kawara::emulator::vulkan
