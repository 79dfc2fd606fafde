// SPDX-License-Identifier: Apache-2.0
#include "emulator/chips.h"

#include <pthread.h>
#include <unistd.h>
#include <map>
#include <mutex>
#include <tuple>

#include "emulator/reference/reference.h"
#include "emulator/vulkan/vulkan.h"
#include "kawara/error.h"
#include "kawara/hw/configs.h"

namespace kawara::emulator {

// Programs that link the runtime alone do without it, and without its libraries.
[[gnu::weak]] ExecutorFactory vulkan_executor();
[[gnu::weak]] std::string vulkan_computes_on();

namespace {

ExecutorFactory find_executor(const EmulatorOptions& options) {
  const std::string& name = options.executor;
  if (name == "reference") return reference_executor(options.reference);
  if (name == "vulkan") {
    if (!&vulkan_executor) throw fail(Code::device_unavailable, "executor 'vulkan': this program was linked without it");
    return vulkan_executor();
  }
  throw fail(Code::not_found, "executor '{}': there are 'vulkan' and 'reference'", name);
}

// The only global of the runtime. A forked child has its parent's entries, but not its chips' threads: an entry counts in
// the process that made it alone.
struct Chips {
  using Key = std::tuple<std::string, std::string, uint32_t, ReferenceOptions>;
  struct Entry {
    pid_t process = 0;
    std::weak_ptr<Driver> driver;
  };
  std::mutex mutex;
  std::map<Key, Entry> entries;
};

Chips& chips() {
  static Chips* const chips = [] {
    // Held over a fork, so that the child never finds it locked by a thread that it does not have.
    static Chips held;
    pthread_atfork([] { held.mutex.lock(); }, [] { held.mutex.unlock(); }, [] { held.mutex.unlock(); });
    return &held;
  }();
  return *chips;
}

}  // namespace

std::string computes_on(std::string_view executor) { return executor == "vulkan" ? vulkan_computes_on() : std::string(); }

const kawara_config& find_config(std::string_view name) {
  if (const kawara_config* const config = hw::find_config(name)) return *config;
  std::string known;
  for (const kawara_config& config : hw::configs) known += fmt::format("{}'{}'", known.empty() ? "" : ", ", config.name);
  throw fail(Code::not_found, "configuration '{}': there are {}", name, known);
}

std::shared_ptr<Driver> shared_driver(const EmulatorOptions& options) {
  const kawara_config& config = find_config(options.config);
  ExecutorFactory executor = find_executor(options);
  const std::lock_guard lock(chips().mutex);
  Chips::Entry& entry = chips().entries[{options.config, options.executor, options.index, options.reference}];
  if (entry.process == getpid()) {
    if (auto driver = entry.driver.lock()) return driver;
  }
  auto driver = std::make_shared<Driver>(config, std::move(executor));
  entry = {getpid(), driver};
  return driver;
}

}  // namespace kawara::emulator
