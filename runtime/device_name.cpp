// SPDX-License-Identifier: Apache-2.0
#include "device_name.h"

#include <charconv>
#include <optional>

#include "emulator/chips.h"
#include "emulator/emulator_node.h"
#include "kawara/environment.h"
#include "kawara/error.h"
#include "kawara/hw/configs.h"

namespace kawara {
namespace {

using emulator::EmulatorOptions;

constexpr std::string_view kEmulator = "emulator", kConfig = "config=", kOrder = "order=", kNodes = "/dev/accel/";
constexpr std::string_view kExecutors[] = {"vulkan", "reference"};

std::string spelled(const EmulatorOptions& options) {
  std::string text = fmt::format("{}:{},{}{}", kEmulator, options.executor, kConfig, options.config);
  if (options.index) text += fmt::format(",{}", options.index);
  if (options.reference.order) text += fmt::format(",{}{}", kOrder, *options.reference.order);
  return text;
}

Error unknown(std::string_view name, std::string_view part) {
  std::string known;
  for (const DeviceDescription& device : list_devices()) known += fmt::format(", '{}'", device.name);
  return fail(Code::not_found, "device '{}': '{}' is unknown; there are 'auto', 'emulator'{}", name, part, known);
}

// The whole text as a number, if it is one that fits.
template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

uint64_t seed(std::string_view name, std::string_view text) {
  if (const auto value = number<uint64_t>(text)) return *value;
  throw fail(Code::invalid_argument, "device '{}': {} takes a seed, a whole number below 2^64, got '{}'", name, kOrder, text);
}

// `parts`: what stands behind "emulator:".
EmulatorOptions parse(std::string_view name, std::string_view parts) {
  EmulatorOptions options;
  while (!parts.empty()) {
    const size_t end = std::min(parts.find_first_of(":,"), parts.size());
    const std::string_view part = parts.substr(0, end);
    parts.remove_prefix(std::min(end + 1, parts.size()));
    if (part == kExecutors[0] || part == kExecutors[1]) {
      options.executor = part;
    } else if (part.starts_with(kConfig)) {
      options.config = part.substr(kConfig.size());
      emulator::find_config(options.config);
    } else if (part.starts_with(kOrder)) {
      options.reference.order = seed(name, part.substr(kOrder.size()));
    } else if (const auto index = number<uint32_t>(part)) {
      options.index = *index;
    } else {
      throw unknown(name, part);
    }
  }
  if (options.reference != emulator::ReferenceOptions() && options.executor != kExecutors[1])
    throw fail(
        Code::invalid_argument,
        "device '{}': only the executor 'reference' runs commands in an order of one's own, and this is '{}': write '{}:reference,{}…'",
        name, options.executor, kEmulator, kOrder);
  return options;
}

// What "auto" stands for.
OpenedNode open_chosen(std::string_view name) try { return open_node(name); } catch (const Error& error) {
  throw fail(error.code(), "KAWARA_DEVICE: {}", error.what());
}

}  // namespace

OpenedNode open_node(std::string_view name) {
  if (name == "auto") {
    const std::string chosen = environment(Variable::device);
    if (!chosen.empty() && chosen != "auto") return open_chosen(chosen);
  }
  if (name.starts_with(kNodes)) {
    throw fail(Code::device_unavailable, "device '{}': this build has no node for the kernel driver yet; use 'emulator'", name);
  }
  EmulatorOptions options;
  if (name.starts_with(kEmulator) && name.size() > kEmulator.size() && name[kEmulator.size()] == ':') {
    options = parse(name, name.substr(kEmulator.size() + 1));
  } else if (name != kEmulator && name != "auto") {
    throw unknown(name, name);
  }
  return {spelled(options), emulator::open_emulator(options)};
}

std::vector<DeviceDescription> list_devices() {
  std::vector<DeviceDescription> devices;
  for (const std::string_view executor : kExecutors) {
    for (const kawara_config& config : hw::configs) {
      devices.push_back({.name = spelled({.config = config.name, .executor = std::string(executor)}),
                         .kind = std::string(kEmulator),
                         .config = config.name,
                         .local_bytes = uint64_t{config.local_mib} << 20,
                         .sram_bytes = uint64_t{config.sram_kib} << 10});
    }
  }
  return devices;
}

}  // namespace kawara
