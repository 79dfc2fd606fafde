// SPDX-License-Identifier: Apache-2.0
// Several emulated chips in one process, of one configuration and of two, at work at the same time.
#include <gmock/gmock.h>

#include <array>
#include <thread>

#include "kawara/compiler.h"
#include "kawara/device.h"
#include "kawara/session.h"
#include "support/folder.h"
#include "support/small_model.h"

namespace kawara::test {
namespace {

using testing::ElementsAre;

struct Pair {
  const char *first, *second;
};

class Chips : public testing::TestWithParam<Pair> {};

TEST_P(Chips, ComputeAtTheSameTimeEachInItsOwnMemory) {
  const Folder folder;
  const auto model = folder.write("m.onnx", small_model());
  const auto work = [&](const char* name, float scale, std::vector<std::string>& wrong) {
    const Device device = Device::open(name);
    Session session(device, compile(model, {.target = device.config()}));
    for (int i = 0; i < 50; ++i) {
      const std::array<float, 4> x{-scale, scale, scale * static_cast<float>(i), -1};
      std::array<float, 4> y{};
      session.submit({.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}}).wait();
      if (y != std::array<float, 4>{0, scale, scale * static_cast<float>(i), 0})
        wrong.push_back(device.name() + " run " + std::to_string(i));
    }
  };
  std::vector<std::string> first, second;
  std::thread other([&] { work(GetParam().first, 3, first); });
  work(GetParam().second, 7, second);
  other.join();
  EXPECT_THAT(first, ElementsAre());
  EXPECT_THAT(second, ElementsAre());
}

TEST_P(Chips, GiveAwayTheirOwnMemoryAlone) {
  const Device first = Device::open(GetParam().first), second = Device::open(GetParam().second);
  const uint64_t before = second.local_free_bytes();
  const Buffer taken = first.allocate(1 << 20, Memory::local);
  EXPECT_EQ(second.local_free_bytes(), before);
}

constexpr const char* kPairNames[] = {"TwoReferences", "TwoConfigurations", "TwoOfVulkan", "TwoWithoutMore", "VulkanAndReference"};

INSTANTIATE_TEST_SUITE_P(Pairs, Chips,
                         testing::Values(Pair{"emulator:reference,config=k1-mini", "emulator:reference,config=k1-mini,1"},
                                         Pair{"emulator:reference,config=k1-mini", "emulator:reference"},
                                         Pair{"emulator:config=k1-mini", "emulator:config=k1-mini,1"}, Pair{"emulator", "emulator:1"},
                                         Pair{"emulator", "emulator:reference,config=k1-mini"}),
                         [](const auto& pair) { return std::string(kPairNames[pair.index]); });

}  // namespace
}  // namespace kawara::test
