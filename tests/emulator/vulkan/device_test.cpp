// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/mman.h>

#include <cstdlib>

#include "emulator/vulkan/imported_memory.h"
#include "emulator/vulkan/vulkan.h"
#include "kawara/error.h"

namespace kawara::emulator {
namespace {

using testing::HasSubstr;

// A chip's memory, on a page as the executor needs it.
struct Pages {
  explicit Pages(size_t size)
      : bytes(static_cast<std::byte*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), size) {}
  ~Pages() { munmap(bytes.data(), bytes.size()); }
  Pages(const Pages&) = delete;
  std::span<std::byte> bytes;
};

void expect_unavailable(const char* variable, const char* value, const char* text) {
  setenv(variable, value, 1);
  const Pages local(4096), sram(4096);
  try {
    vulkan_executor()(local.bytes, sram.bytes);
    ADD_FAILURE() << "the executor opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::device_unavailable);
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
  unsetenv(variable);
}

TEST(VulkanDevice, SaysThatNoDriverIsThere) { expect_unavailable("VK_DRIVER_FILES", "/nowhere.json", "Vulkan finds no d"); }

TEST(VulkanDevice, SaysWhichDevicesAreNotTheWantedOne) {
  expect_unavailable("KAWARA_VULKAN_DEVICE", "no such device", "is not named 'no such device'");
}

TEST(ImportedMemory, ShowsShadersEachByteWhereverASlabEnds) {
  const auto device = std::make_shared<vulkan::VulkanDevice>("");
  const Pages memory(4 * 4096);
  vulkan::ImportedMemory imported(device, memory.bytes, 4096);
  const uint64_t start = imported.address(memory.bytes.data() + 100, 10000);
  EXPECT_EQ(imported.address(memory.bytes.data() + 100, 10000), start);
  EXPECT_NE(start, 0u);
  EXPECT_EQ(start % 4096, 100u);
}

TEST(ImportedMemory, RefusesMemoryThatStartsWithinAPage) {
  const auto device = std::make_shared<vulkan::VulkanDevice>("");
  const Pages memory(2 * 4096);
  EXPECT_THROW(vulkan::ImportedMemory(device, memory.bytes.subspan(64, 4096)), Error);
}

}  // namespace
}  // namespace kawara::emulator
