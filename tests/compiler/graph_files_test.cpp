// SPDX-License-Identifier: Apache-2.0
// Runs the *.graph files of this folder: the comment `RUN: kawara-opt --pass=a --pass=b %s` says what prints the result, the
// comments that check.h knows say what that is. An error is printed in the graph's place.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>

#include "graph_text.h"
#include "kawara/error.h"
#include "operator.h"
#include "steps.h"
#include "support/check.h"

namespace kawara::compiler {

namespace {

const std::filesystem::path kFolder = std::filesystem::path(KAWARA_SOURCE_DIR) / "tests/compiler";

std::vector<std::string> graph_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder))
    if (entry.path().extension() == ".graph") files.push_back(std::filesystem::relative(entry.path(), kFolder));
  std::ranges::sort(files);
  return files;
}

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> steps_of(const std::string& text) {
  std::smatch line;
  if (!std::regex_search(text, line, std::regex("# RUN: kawara-opt (.*) %s")))
    throw fail(Code::invalid_argument, "the file has no line '# RUN: kawara-opt --pass=… %s'");
  std::vector<std::string> steps;
  const std::regex option("--pass=(\\w+)");
  const std::string options = line[1];
  for (std::sregex_iterator i(options.begin(), options.end(), option); i != std::sregex_iterator(); ++i) steps.push_back(i->str(1));
  return steps;
}

class GraphFile : public testing::TestWithParam<std::string> {};

TEST_P(GraphFile, BecomesWhatItsChecksSay) {
  const std::string text = content(kFolder / GetParam());
  std::string printed;
  for (Graph& graph : parse_graphs(text)) {
    try {
      for (const std::string& step : steps_of(text)) run_step(step, graph);
      printed += print(graph);
    } catch (const Error& error) {
      printed += fmt::format("graph \"{}\" error {}: {}\n", graph.name, name(error.code()), error.what());
    }
  }
  EXPECT_EQ(support::check(text, printed), "");
}

INSTANTIATE_TEST_SUITE_P(Compiler, GraphFile, testing::ValuesIn(graph_files()),
                         [](const auto& file) { return std::regex_replace(file.param, std::regex("\\W"), "_"); });

TEST(Operators, EachThatRunsNoCommandStandsInAGraphFile) {
  std::string all;
  for (const std::string& file : graph_files())
    if (file.starts_with("ops/")) all += content(kFolder / file);
  const auto stands = [&](const std::string& onnx) {
    return std::regex_search(all, std::regex("= " + std::regex_replace(onnx, std::regex("(.*)\\."), "$1::") + "[@(]"));
  };
#define OPERATOR(onnx, name) \
  EXPECT_TRUE(name##_operator.kind == OperatorKind::root || stands(onnx)) << "no file of tests/compiler/ops shows " onnx;
#include "ops.def"
}

TEST(Operators, EachIsFoundByItsOwnName) {
#define OPERATOR(onnx, name_)                                                                               \
  EXPECT_EQ(find_operator({.op = onnx}), &name_##_operator);                                                \
  EXPECT_EQ(name_##_operator.name, onnx);                                                                   \
  EXPECT_TRUE(name_##_operator.infer) << onnx;                                                              \
  EXPECT_EQ(name_##_operator.kind == OperatorKind::elementwise, name_##_operator.point != nullptr) << onnx; \
  EXPECT_EQ(name_##_operator.kind == OperatorKind::view, name_##_operator.view != nullptr) << onnx;
#include "ops.def"
  EXPECT_EQ(find_operator({.op = "NoSuchOperator"}), nullptr);
  EXPECT_EQ(find_operator({.op = "Add", .domain = "com.example"}), nullptr);
}

}  // namespace

}  // namespace kawara::compiler
