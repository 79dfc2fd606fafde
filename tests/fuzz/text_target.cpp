// SPDX-License-Identifier: Apache-2.0
// Commands, region tables and graphs as text: reading never fails but with an error that says why, and what was read is
// written to text that reads as the same. Input: a byte (which of them), the text.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/target.h"
#include "graph_text.h"
#include "hw/sample_commands.h"
#include "kawara/hw/text.h"

namespace kawara::fuzz {
namespace {

enum Form : uint8_t { kCommands, kRegions, kGraphs, kForms };

Bytes write(Form form, std::string_view text) {
  Bytes bytes = bytes_of_text(text);
  bytes.insert(bytes.begin(), std::byte{form});
  return bytes;
}

void read_commands(std::string_view text) {
  const std::vector<std::byte> bytes = hw::assemble(text);
  promise(hw::assemble(hw::disassemble(bytes)) == bytes, "commands read from text give text that reads as the same");
}

void read_regions(std::string_view text) {
  const std::vector<kawara_region> table = hw::assemble_regions(text);
  const auto again = hw::assemble_regions(hw::disassemble_regions(table));
  const bool equal =
      again.size() == table.size() && std::equal(table.begin(), table.end(), again.begin(),
                                                 [](const auto& a, const auto& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; });
  promise(equal, "a region table read from text gives text that reads as the same");
}

void read_graphs(std::string_view text) {
  for (const compiler::Graph& graph : compiler::parse_graphs(text)) {
    const std::string printed = compiler::print(graph);
    const std::string again = compiler::print(compiler::parse_graph(printed));
    // A large constant stands for other numbers of the same shape: its hash changes once.
    if (printed.find("random<") != std::string::npos) continue;
    if (printed != again) std::fprintf(stderr, "%s\n-- became --\n%s\n", printed.c_str(), again.c_str());
    promise(printed == again, "a graph read from text gives text that reads as the same");
  }
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Pieces to build text of: words, and the marks between them one by one.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '%'; };
    if (is_word(text[at]))
      while (end < text.size() && is_word(text[end])) ++end;
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace

bool accepts(std::span<const std::byte> input) {
  if (input.empty()) return false;
  const std::string text(text_of_bytes(input.subspan(1)));
  try {
    switch (static_cast<uint8_t>(input[0]) % kForms) {
      case kCommands: read_commands(text); break;
      case kRegions: read_regions(text); break;
      default: read_graphs(text);
    }
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::invalid_argument) std::fprintf(stderr, "%s\n", error.what());
    promise(error.code() == Code::invalid_argument, "wrong text is an invalid argument");
    return false;
  }
}

std::vector<Seed> seeds() {
  const std::filesystem::path tests = std::filesystem::path(KAWARA_SOURCE_DIR) / "tests";
  std::vector<Seed> result;
  for (const auto& command : {hw::relu(), hw::row_sum(), hw::gemm(), hw::conv(), hw::copy(), hw::gather()})
    result.push_back({"command" + std::to_string(result.size()), write(kCommands, hw::disassemble(command))});
  result.push_back({"regions", write(kRegions, hw::disassemble_regions(hw::sample_regions()))});
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"ops", "passes"})
    for (const auto& entry : std::filesystem::directory_iterator(tests / "compiler" / folder))
      if (entry.path().extension() == ".graph") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files)
    for (const compiler::Graph& graph : compiler::parse_graphs(content(file)))
      result.push_back({"graph" + std::to_string(result.size()), write(kGraphs, compiler::print(graph))});
  return result;
}

void mutate(Bytes& input, size_t most, std::mt19937& random) {
  if (input.size() < 2) return;
  std::vector<std::string> words = words_of(text_of_bytes(std::span(input).subspan(1)));
  const size_t at = random() % words.size();
  switch (random() % 6) {
    case 0: words.erase(words.begin() + static_cast<ptrdiff_t>(at)); break;
    case 1: words.insert(words.begin() + static_cast<ptrdiff_t>(at), std::string(words[random() % words.size()])); break;
    case 2: words[at] = std::to_string(static_cast<int64_t>(awkward(random))); break;
    case 3: words[at] += static_cast<char>(random()); break;
    default: words[at] = std::string(words[random() % words.size()]);
  }
  std::string text;
  for (const std::string& word : words) text += word;
  if (text.size() < most) input = write(static_cast<Form>(input[0]), text);
}

}  // namespace kawara::fuzz
