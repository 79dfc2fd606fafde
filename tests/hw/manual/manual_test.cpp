// SPDX-License-Identifier: Apache-2.0
// The manual that lies in the tree is the one that the tables give.
#include "manual.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "header_text.h"

namespace kawara::manual {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string committed() {
  std::ifstream file(KAWARA_SOURCE_DIR "/include/kawara/hw/manual.md", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Manual, InTheTreeIsWhatTheTablesSay) {
  const std::string is = committed(), should = text();
  if (is == should) return;
  const auto old_lines = lines_of(is), new_lines = lines_of(should);
  size_t line = 0;
  while (line < old_lines.size() && line < new_lines.size() && old_lines[line] == new_lines[line]) ++line;
  FAIL() << "include/kawara/hw/manual.md is stale from line " << line + 1 << " on, where the tables now say\n  "
         << (line < new_lines.size() ? new_lines[line] : "(nothing)") << "\nRenew it: cmake --build build/release --target manual";
}

TEST(Manual, EveryLinkLeadsToOneHeading) {
  const std::string manual = text();
  std::multiset<std::string> anchors;
  for (const std::string& line : lines_of(manual)) {
    if (!line.starts_with("## ") && !line.starts_with("### ")) continue;
    std::string anchor;
    for (const char c : line.substr(line.find(' ') + 1)) anchor += c == ' ' ? '-' : static_cast<char>(std::tolower(c));
    anchors.insert(anchor);
  }
  const std::regex form(R"(\]\(#([^)]*)\))");
  size_t links = 0;
  for (std::sregex_iterator at(manual.begin(), manual.end(), form), end; at != end; ++at, ++links)
    EXPECT_EQ(anchors.count((*at)[1]), 1u) << (*at)[1];
  EXPECT_GT(links, anchors.size()) << "the table of contents alone has a link to each";
}

TEST(Manual, EveryRowOfATableHasItsColumns) {
  size_t columns = 0, rows = 0;
  const auto bars = [](const std::string& line) {
    size_t count = 0;
    for (size_t i = 0; i < line.size(); ++i) count += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    return count;
  };
  bool block = false;
  for (const std::string& line : lines_of(text())) {
    if (line.starts_with("```")) block = !block;
    if (block || !line.starts_with('|')) {
      columns = 0;
      continue;
    }
    if (columns == 0) columns = bars(line);
    EXPECT_EQ(bars(line), columns) << line;
    ++rows;
  }
  EXPECT_GT(rows, 300u);
}

TEST(Manual, FindsFullNames) {
  const std::string manual = text();
  for (const char* name :
       {"KAWARA_QUEUE_CONTROL_ENABLE", "KAWARA_GLOBAL_IDENT", "KAWARA_RUN_REGION_COUNT", "KAWARA_RUN_TAG_WORD", "kawara_record",
        "KAWARA_REGION_READ", "KAWARA_PTE_LEAF", "KAWARA_COMMAND_gemm", "KAWARA_DTYPE_f8e4m3", "KAWARA_OP_red_add",
        "KAWARA_FAULT_wait_forward", "KAWARA_COST_TREE_WIDTH", "KAWARA_HEADER_SWITCH_POINT", "KAWARA_QUEUE_RUNNING"})
    EXPECT_NE(manual.find(name), std::string::npos) << name;
}

TEST(HeaderText, MissesNothingSilently) {
  EXPECT_THROW(HeaderText("no.such"), std::runtime_error);
  const HeaderText hw("hw.h");
  Page page;
  EXPECT_THROW(hw.quote(page, "No line begins so"), std::runtime_error);
  EXPECT_THROW(hw.defines({"KAWARA_NOTHING_"}), std::runtime_error);
  EXPECT_THROW(hw.enumerators("kawara_nothing"), std::runtime_error);
}

TEST(Page, ShowsARowsBarsStarsAndAnglesAsTheyAre) {
  EXPECT_EQ(words("|a| * b < c << 1, A_* and *f, <tag>, `d | *e`"), R"(\|a\| * b < c << 1, A_\* and \*f, \<tag>, `d | *e`)");
  Page page;
  page.table({"x"}, {{words("|a|")}, {words("`d | e`")}});
  EXPECT_EQ(page.body(), "| x |\n|---|\n| \\|a\\| |\n| `d \\| e` |\n\n");
}

}  // namespace
}  // namespace kawara::manual
