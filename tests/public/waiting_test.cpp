// SPDX-License-Identifier: Apache-2.0
// Whoever waits for the compiler may end it at any of its looks, and nothing of that is left behind.
#include <gtest/gtest.h>

#include <functional>

#include "kawara/compiler.h"
#include "kawara/inference_session.h"
#include "support/folder.h"
#include "support/small_model.h"

namespace kawara::test {
namespace {

using Waiting = std::function<void()>;

struct Enough {
  unsigned looks;
};

unsigned looks_of(const std::function<void(const Waiting&)>& work) {
  unsigned looks = 0;
  work([&] { ++looks; });
  return looks;
}

// Ends the work at its first look, its second, and so on to the last; each end must reach the caller as it was thrown.
void end_at_every_look(const std::function<void(const Waiting&)>& work) {
  const unsigned all = looks_of(work);
  EXPECT_GT(all, 5u) << "a step between two looks is short";
  for (unsigned last = 1; last <= all; ++last) {
    unsigned looks = 0;
    try {
      work([&] {
        if (++looks == last) throw Enough{looks};
      });
      ADD_FAILURE() << "look " << last << " of " << all << " did not end the work";
    } catch (const Enough& enough) {
      EXPECT_EQ(enough.looks, last);
    }
  }
}

class Ended : public testing::Test {
 protected:
  Folder folder_;
  const std::filesystem::path model_ = folder_.write("m.onnx", small_model("Softmax", {4, 8}));
};

TEST_F(Ended, CompilationsLeaveTheNextOneTheSame) {
  const auto bytes = [&] {
    const Program program = compile(model_);
    return std::vector<std::byte>(program.commands().begin(), program.commands().end());
  };
  const auto before = bytes();
  end_at_every_look([&](const Waiting& waiting) { compile(model_, {.waiting = waiting}); });
  EXPECT_EQ(bytes(), before);
}

TEST_F(Ended, LoweringsForAnotherChipAndExplanationsToo) {
  const Program program = compile(model_);
  end_at_every_look([&](const Waiting& waiting) { relower(program, "k1-mini", waiting); });
  end_at_every_look([&](const Waiting& waiting) { explain(model_, {.waiting = waiting}); });
}

TEST_F(Ended, SessionsThatCompileOrLowerAgainToo) {
  const char* device = "emulator:reference,config=k1-mini";
  const Program program = compile(model_);
  end_at_every_look([&](const Waiting& waiting) { InferenceSession(program, device, waiting); });
  end_at_every_look([&](const Waiting& waiting) { InferenceSession(model_, device, {.cache = false, .waiting = waiting}); });
}

}  // namespace
}  // namespace kawara::test
