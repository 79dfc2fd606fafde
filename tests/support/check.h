// SPDX-License-Identifier: Apache-2.0
// Compares text with expectations that stand as comments beside its source:
//   # CHECK: text          a later line contains the text
//   # CHECK-NEXT: text     the very next line contains it
//   # CHECK-NOT: text      no line before the next match contains it
//   # CHECK-LABEL: text    as CHECK; and the checks up to the next label look no further than its line
// In a text, %[[NAME:regex]] and [[NAME]] bind and use a name; everything else is literal, but runs of spaces are equal.
#pragma once

#include <string>
#include <string_view>

namespace kawara::support {

// Empty if `text` meets every check in `checks`; else a sentence with the line of the check and the text where it failed.
std::string check(std::string_view checks, std::string_view text);

}  // namespace kawara::support
