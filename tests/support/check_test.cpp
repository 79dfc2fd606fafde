// SPDX-License-Identifier: Apache-2.0
#include "support/check.h"

#include <gmock/gmock.h>

namespace kawara::support {

namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(Check, FindsTextsInOrder) {
  EXPECT_THAT(check("# CHECK: b\n# CHECK: d", "a\nb\nc\nd"), IsEmpty());
  EXPECT_THAT(check("# CHECK: d\n# CHECK: b", "a\nb\nc\nd"), HasSubstr("'b' is not found"));
}

TEST(Check, NextIsTheVeryNextLine) {
  EXPECT_THAT(check("CHECK: a\nCHECK-NEXT: b", "a\nb"), IsEmpty());
  EXPECT_THAT(check("CHECK: a\nCHECK-NEXT: b", "a\n\nb"), HasSubstr("'b' is not right"));
}

TEST(Check, NotForbidsUpToTheNextMatchOrTheEnd) {
  EXPECT_THAT(check("CHECK: a\nCHECK-NOT: x\nCHECK: b", "a\nb\nx"), IsEmpty());
  EXPECT_THAT(check("CHECK: a\nCHECK-NOT: x\nCHECK: b", "a\nx\nb"), HasSubstr("'x' must not stand before 'b'"));
  EXPECT_THAT(check("CHECK: a\nCHECK-NOT: x", "a\nb\nx"), HasSubstr("'x' must not stand"));
}

TEST(Check, LabelsKeepChecksApart) {
  EXPECT_THAT(check("CHECK-LABEL: one\nCHECK: a\nCHECK-LABEL: two\nCHECK: b", "one\na\ntwo\nb"), IsEmpty());
  EXPECT_THAT(check("CHECK-LABEL: one\nCHECK: b\nCHECK-LABEL: two", "one\na\ntwo\nb"), HasSubstr("'b' is not found"));
  EXPECT_THAT(check("CHECK-LABEL: one\nCHECK-NOT: b\nCHECK-LABEL: two\nCHECK: b", "one\na\ntwo\nb"), IsEmpty());
  EXPECT_THAT(check("CHECK-LABEL: three", "one\ntwo"), HasSubstr("no line contains 'three'"));
}

TEST(Check, NamesAreBoundAndUsed) {
  EXPECT_THAT(check("CHECK: [[V:%\\w+]] = Relu\nCHECK: return [[V]]", "%y = Relu(%x)\nreturn %y"), IsEmpty());
  EXPECT_THAT(check("CHECK: [[V:%\\w+]] = Relu\nCHECK: return [[V]]", "%y = Relu(%x)\nreturn %x"), HasSubstr("is not found"));
}

TEST(Check, EverythingElseIsLiteral) {
  EXPECT_THAT(check("CHECK: f(a.b)[1]*", "f(a.b)[1]*"), IsEmpty());
  EXPECT_THAT(check("CHECK: f(a.b)", "f(aXb)"), HasSubstr("is not found"));
  EXPECT_THAT(check("nothing here", "text"), HasSubstr("no checks"));
}

}  // namespace

}  // namespace kawara::support
