// SPDX-License-Identifier: Apache-2.0
// The chip's check over any command buffer and region table; what it accepts runs, and stays inside its regions.
// Input: a byte (number of regions, highest bit: in host memory), the region table, the commands.
#include "fuzz/job.h"
#include "hw/sample_commands.h"

namespace kawara::fuzz {
namespace {

constexpr size_t kMostRegions = 16;

JobInput parse(std::span<const std::byte> input) {
  JobInput job;
  if (input.empty()) return job;
  const auto head = static_cast<uint8_t>(input[0]);
  input = input.subspan(1);
  job.in_host = (head & 0x80) != 0;
  job.regions.resize(std::min<size_t>((head & 0x7f) % (kMostRegions + 1), input.size() / sizeof(kawara_region)));
  const size_t table = job.regions.size() * sizeof(kawara_region);
  if (table != 0) std::memcpy(job.regions.data(), input.data(), table);
  job.commands.assign(input.begin() + static_cast<ptrdiff_t>(table), input.end());
  return job;
}

Bytes write(const JobInput& job) {
  const auto table = std::as_bytes(std::span(job.regions));
  Bytes bytes(1 + table.size() + job.commands.size());
  bytes[0] = static_cast<std::byte>(job.regions.size() | (job.in_host ? 0x80 : 0));
  std::ranges::copy(table, bytes.begin() + 1);
  std::ranges::copy(job.commands, bytes.begin() + 1 + static_cast<ptrdiff_t>(table.size()));
  return bytes;
}

// Where each command starts, as far as the sizes go.
std::vector<size_t> starts(const std::vector<std::byte>& commands) {
  std::vector<size_t> result;
  for (size_t at = 0; at + sizeof(kawara_header) <= commands.size();) {
    result.push_back(at);
    uint16_t size16;
    std::memcpy(&size16, commands.data() + at + offsetof(kawara_header, size16), sizeof(size16));
    at += std::max<size_t>(size16, 1) * 16;
  }
  return result;
}

void spoil_value(std::span<std::byte> bytes, std::mt19937& random) {
  if (bytes.size() < 8) return;
  const size_t width = size_t{1} << random() % 4;
  const size_t at = random() % (bytes.size() / width) * width;
  uint64_t value = 0;
  std::memcpy(&value, &bytes[at], width);
  switch (random() % 4) {
    case 0: value += random() % 5 - 2; break;
    case 1: value ^= uint64_t{1} << random() % (width * 8); break;
    default: value = awkward(random);
  }
  std::memcpy(&bytes[at], &value, width);
}

std::vector<std::vector<std::byte>> samples() { return {hw::relu(), hw::row_sum(), hw::gemm(), hw::conv(), hw::copy(), hw::gather()}; }

}  // namespace

bool accepts(std::span<const std::byte> input) {
  const JobInput job = parse(input);
  if (!check_and_run(job)) return false;
  promise(hw::assemble(hw::disassemble(job.commands)) == job.commands, "what the chip accepts reads as text that gives the same bytes");
  return true;
}

std::vector<Seed> seeds() {
  std::vector<Seed> result;
  JobInput all{.regions = hw::sample_regions(), .commands = {}, .in_host = false};
  for (const auto& command : samples()) {
    const std::string number = std::to_string(result.size());
    result.push_back({"command" + number, write({hw::sample_regions(), command, result.size() >= 4})});
    all.commands.insert(all.commands.end(), command.begin(), command.end());
  }
  result.push_back({"all", write(all)});
  return result;
}

void mutate(Bytes& input, size_t most, std::mt19937& random) {
  JobInput job = parse(input);
  const std::vector<size_t> at = starts(job.commands);
  const auto piece = [&](size_t number) {
    const size_t end = number + 1 < at.size() ? at[number + 1] : job.commands.size();
    return std::span(job.commands).subspan(at[number], end - at[number]);
  };
  const size_t chosen = at.empty() ? 0 : random() % at.size();
  switch (random() % 8) {
    case 0: {  // another command behind the last, or the same again
      const auto known = samples();
      const auto& more = known[random() % known.size()];
      job.commands.insert(job.commands.end(), more.begin(), more.end());
      break;
    }
    case 1:
      if (at.size() > 1) {
        const auto gone = piece(chosen);
        const auto begin = job.commands.begin() + (gone.data() - job.commands.data());
        job.commands.erase(begin, begin + static_cast<ptrdiff_t>(gone.size()));
      }
      break;
    case 2:
      if (!job.regions.empty()) spoil_value(std::as_writable_bytes(std::span(job.regions)), random);
      break;
    case 3: job.in_host = !job.in_host; break;
    default:
      if (!at.empty()) spoil_value(piece(chosen), random);
  }
  input = write(job);
  if (input.size() > most) input.resize(most);
}

}  // namespace kawara::fuzz
