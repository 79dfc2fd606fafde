// SPDX-License-Identifier: Apache-2.0
#include "kawara/environment.h"

#include <gmock/gmock.h>

#include <functional>
#include <optional>

#include "kawara/cache.h"
#include "kawara/device.h"
#include "kawara/error.h"
#include "kawara/log.h"
#include "kawara/version.h"
#include "support/given.h"

namespace kawara::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::string complaint(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(name(error.code())) + ": " + error.what();
  }
  return "";
}

TEST(Environment, NamesTheDeviceThatAutoOpens) {
  const Given device("KAWARA_DEVICE", "emulator:reference,config=k1-mini");
  EXPECT_EQ(Device::open("auto").config(), "k1-mini");
  EXPECT_EQ(Device::open("emulator:reference").config(), "k1");
}

TEST(Environment, WithADeviceThatIsNotThereSaysSo) {
  const Given device("KAWARA_DEVICE", "toaster");
  EXPECT_THAT(complaint([] { Device::open("auto"); }), AllOf(HasSubstr("not_found"), HasSubstr("KAWARA_DEVICE"), HasSubstr("'toaster'")));
}

TEST(Environment, TellsMisspeltVariables) {
  const Given misspelt("KAWARA_CASHE", "off"), known("KAWARA_CACHE", "off");
  EXPECT_THAT(unknown_variables(), AllOf(Contains("KAWARA_CASHE"), Not(Contains("KAWARA_CACHE"))));
}

TEST(Environment, ChoosesTheCacheFolder) {
  const Given none("KAWARA_CACHE", ""), home("HOME", "/home/somebody"), relative("XDG_CACHE_HOME", "relative");
  EXPECT_EQ(cache_folder(), "/home/somebody/.cache/kawara");
  const Given shared("XDG_CACHE_HOME", "/caches");
  EXPECT_EQ(cache_folder(), "/caches/kawara");
  const Given own("KAWARA_CACHE", "/mine");
  EXPECT_EQ(cache_folder(), "/mine");
  const Given off("KAWARA_CACHE", "off");
  EXPECT_EQ(cache_folder(), std::nullopt);
}

TEST(Environment, ChoosesTheFolderOfFaults) {
  const Given cache("KAWARA_CACHE", "/mine");
  EXPECT_EQ(fault_folder(), "/mine/faults");
  const Given own("KAWARA_FAULTS", "/evidence");
  EXPECT_EQ(fault_folder(), "/evidence");
  const Given no_cache("KAWARA_CACHE", "off");
  EXPECT_EQ(fault_folder(), "/evidence");
  const Given unset("KAWARA_FAULTS", "");
  EXPECT_EQ(fault_folder(), std::nullopt);
  const Given back("KAWARA_CACHE", "/mine"), off("KAWARA_FAULTS", "off");
  EXPECT_EQ(fault_folder(), std::nullopt);
  const Given relative("KAWARA_FAULTS", "evidence");
  EXPECT_THAT(complaint([] { fault_folder(); }), AllOf(HasSubstr("invalid_argument"), HasSubstr("KAWARA_FAULTS"), HasSubstr("'evidence'")));
}

TEST(Environment, WithoutAHomeHasNoCache) {
  const Given none("KAWARA_CACHE", ""), shared("XDG_CACHE_HOME", ""), home("HOME", "");
  EXPECT_EQ(cache_folder(), std::nullopt);
}

TEST(Environment, RefusesACacheThatIsNoAbsoluteFolder) {
  const Given cache("KAWARA_CACHE", "on");
  EXPECT_THAT(complaint([] { cache_folder(); }), AllOf(HasSubstr("invalid_argument"), HasSubstr("KAWARA_CACHE"), HasSubstr("'on'")));
}

TEST(Environment, BoundsProgramsShadersAndFaultsTogether) {
  for (const auto& [text, bytes] :
       {std::pair{"", uint64_t{2} << 30}, {"8000", uint64_t{8000}}, {"3M", uint64_t{3} << 20}, {"0", uint64_t{0}}}) {
    const Given bound("KAWARA_CACHE_BYTES", text);
    EXPECT_EQ(cache_limits().program_bytes + cache_limits().shader_bytes + cache_limits().fault_bytes, bytes) << text;
  }
  for (const char* text : {"much", "3X", "-1", "1.5G", "99999999999G"}) {
    const Given bound("KAWARA_CACHE_BYTES", text);
    EXPECT_THAT(complaint([] { cache_limits(); }), AllOf(HasSubstr("KAWARA_CACHE_BYTES"), HasSubstr(text)));
  }
}

TEST(Log, KnowsItsLevels) {
  EXPECT_EQ(log_level_named(""), LogLevel::warning);
  EXPECT_EQ(log_level_named("off"), LogLevel::off);
  EXPECT_EQ(log_level_named("debug"), LogLevel::debug);
  EXPECT_THAT(complaint([] { log_level_named("loud"); }), AllOf(HasSubstr("KAWARA_LOG"), HasSubstr("warning"), HasSubstr("'loud'")));
}

TEST(Version, HasThreeNumbers) { EXPECT_THAT(std::string(version()), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+")); }

}  // namespace
}  // namespace kawara::test
