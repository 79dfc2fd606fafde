// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/jobs.h"

#include <gmock/gmock.h>

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

std::string refusal(const NodeJob& job) {
  Submission submission;
  const NodeJob jobs[] = {{}, job};
  try {
    submission.renew(3, jobs, {}, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Submission, PacksEachJobForItsContext) {
  Submission submission;
  const NodeJob jobs[] = {{.commands = DeviceAddress{0x10000}, .command_bytes = 64, .tag = 5}, {.command_bytes = 32}};
  submission.renew(3, jobs, {}, {});
  ASSERT_EQ(submission.packets.size(), 2u);
  const kawara_run_packet first = kawara_unpack_run(&submission.packets[0]);
  EXPECT_EQ(first.context, 3u);
  EXPECT_EQ(first.commands, 0x10000u);
  EXPECT_EQ(first.command_bytes, 64u);
  EXPECT_EQ(first.tag, 5u);
  EXPECT_EQ(kawara_unpack_run(&submission.packets[1]).command_bytes, 32u);
}

TEST(Submission, AJobThatTheChipWouldRefuseNamesTheFieldAndItsRule) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal({.command_bytes = 24}), HasSubstr("job 1 breaks the rule of COMMAND_BYTES: A multiple of 16"));
  EXPECT_THAT(refusal({.region_count = 4097}), HasSubstr("REGION_COUNT: At most 4096"));
  EXPECT_THAT(refusal({.commands = DeviceAddress{8}}), HasSubstr("COMMANDS: "));
  EXPECT_THAT(refusal({.regions = DeviceAddress{16}}), HasSubstr("REGIONS: "));
  EXPECT_THAT(refusal({.record = DeviceAddress{32}}), HasSubstr("RECORD: "));
  EXPECT_EQ(refusal({}), "");
}

}  // namespace
}  // namespace kawara::emulator
