// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/reference.h"

#include <vector>

#include "emulator/reference/commands.h"
#include "emulator/reference/memory.h"
#include "emulator/reference/operands.h"
#include "emulator/reference/order.h"

namespace kawara::emulator {
namespace reference {
namespace {

Limit read_limit(const Job& job, const kawara_header& header) {
  const unsigned dim = header.flags & KAWARA_HEADER_LIMIT_DIM;
  if (dim == KAWARA_HEADER_LIMIT_NONE || is_absent(header.limit)) return {};
  int32_t value;
  Memory(job, header.limit).read(0, std::as_writable_bytes(std::span(&value, 1)));  // a copy's may lie in host memory
  return {dim, static_cast<uint32_t>(std::max(value, 0))};
}

void run_command(const Job& job, const hw::CommandView& command, Pace& pace, Health& health) {
  const kawara_header& header = command.header();
  const Limit limit = read_limit(job, header);
  if (limit.dim != KAWARA_HEADER_LIMIT_NONE && limit.value == 0) return;
  Health* const counted = (header.flags & KAWARA_HEADER_HEALTH) != 0 ? &health : nullptr;
  switch (command.opcode()) {
    case KAWARA_COMMAND_nop:
    case KAWARA_COMMAND_event: return;  // the command processor writes its counters
    case KAWARA_COMMAND_vector: return run_vector(job, command, limit, pace, counted);
    case KAWARA_COMMAND_gemm: return run_gemm(job, command, limit, pace, counted);
    case KAWARA_COMMAND_conv: return run_conv(job, command, limit, pace, counted);
    case KAWARA_COMMAND_copy: return run_copy(job, command, limit, pace, counted);
  }
}

// In the order of the buffer, which the waits allow: they only name earlier commands.
Health run_in_order(const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
  Health health;
  Pace pace(progress);
  for (uint32_t number = begin; number < end; ++number) {
    if (progress.aborted && progress.aborted()) break;
    run_command(job, hw::CommandView(job.commands, job.offsets[number]), pace, health);
    if (pace.aborted()) break;
    if (progress.retired) progress.retired(number);
  }
  return health;
}

// The same commands in another order. One is told to have retired when all in front of it have, too.
Health run_seeded(uint64_t seed, const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
  Health health;
  Pace pace(progress);
  SeededOrder order(job, begin, end, seed);
  std::vector<bool> retired(end - begin);
  uint32_t told = begin;
  while (const auto number = order.next()) {
    if (progress.aborted && progress.aborted()) break;
    run_command(job, hw::CommandView(job.commands, job.offsets[*number]), pace, health);
    if (pace.aborted()) break;
    retired[*number - begin] = true;
    const uint32_t before = told;
    while (told < end && retired[told - begin]) ++told;
    if (told == before && progress.work) progress.work();
    if (told != before && progress.retired) progress.retired(told - 1);
  }
  return health;
}

}  // namespace
}  // namespace reference

ExecutorFactory reference_executor(const ReferenceOptions& options) {
  // Every operand comes translated, so the memories themselves are not needed.
  return [options](std::span<std::byte>, std::span<std::byte>) -> Execute {
    if (!options.order) return reference::run_in_order;
    return [seed = *options.order](const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
      return reference::run_seeded(seed, job, begin, end, progress);
    };
  };
}

}  // namespace kawara::emulator
