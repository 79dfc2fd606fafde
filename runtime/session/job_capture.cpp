// SPDX-License-Identifier: Apache-2.0
#include "job_capture.h"

#include <algorithm>

namespace kawara {

using Role = ProgramRegion::Role;

RegionBytes bytes_of_inputs(const Program& program, const Slot& slot) {
  RegionBytes inputs;
  for (const TensorInfo& input : program.inputs()) {
    const auto bytes = buffer_of(slot, input.region).bytes().first(program.regions()[input.region].size_bytes);
    inputs.emplace_back(bytes.begin(), bytes.end());
  }
  return inputs;
}

bool leaves_inputs(const Program& program) {
  return std::ranges::none_of(program.regions(), [](const ProgramRegion& region) {
    return region.writable && (region.role == Role::input || region.role == Role::weights);
  });
}

void clear(const Program& program, const Slot& slot) {
  for (size_t i = 0; i < program.regions().size(); ++i) {
    const Role role = program.regions()[i].role;
    // A caller's output buffer may be its input too.
    if (role == Role::arena || (role == Role::output && !slot.held[i])) std::ranges::fill(slot.of_region[i]->bytes(), std::byte{0});
  }
}

CaptureContents captured(const Device& device, const Program& program, const Slot& slot, RegionBytes inputs, const Fence& ended) {
  CaptureContents contents{.program = program,
                           .device = device.name(),
                           .executor = device.executor(),
                           .computes_on = device.computes_on(),
                           .inputs = std::move(inputs),
                           .fault = ended.fault(),
                           .report = ended.report()};
  if (contents.fault) return contents;
  for (const TensorInfo& output : program.outputs()) {
    const auto bytes = buffer_of(slot, output.region).bytes().first(output.size_bytes);
    contents.outputs.emplace_back(bytes.begin(), bytes.end());
  }
  return contents;
}

}  // namespace kawara
