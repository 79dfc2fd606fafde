// SPDX-License-Identifier: Apache-2.0
#include "header_text.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kawara::manual {

namespace {

std::string read(const std::string& file) {
  std::ifstream stream(KAWARA_SOURCE_DIR "/include/kawara/hw/" + file);
  if (!stream) throw std::runtime_error("there is no " + file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin + 1));
}

// Without the suffixes of C, and the brackets around an expression.
std::string plain(const std::string& value) {
  const std::string number = std::regex_replace(value, std::regex(R"(\b(0x[0-9a-fA-F]+|[0-9]+)(u|ull|ll)\b)"), "$1");
  return number.starts_with('(') && number.ends_with(')') ? number.substr(1, number.size() - 2) : number;
}

}  // namespace

HeaderText::HeaderText(std::string_view file) : file_(file), text_(read(file_)) {
  const size_t begin = text_.find("/*", text_.find('\n')), end = text_.find("*/", begin);
  if (begin == std::string::npos || end == std::string::npos) throw std::runtime_error(file_ + " does not open with a comment");
  std::istringstream comment(text_.substr(begin + 2, end - begin - 2));
  paragraphs_.emplace_back();
  for (std::string line; std::getline(comment, line);) {
    if (const size_t star = line.find_first_not_of(' '); star != std::string::npos && line[star] == '*') line.erase(0, star + 1);
    if (line.starts_with(' ')) line.erase(0, 1);
    if (!trimmed(line).empty())
      paragraphs_.back().push_back(line);
    else if (!paragraphs_.back().empty())
      paragraphs_.emplace_back();
  }
  if (paragraphs_.back().empty()) paragraphs_.pop_back();
}

void HeaderText::add(Page& page, const Paragraph& paragraph) {
  if (paragraph.front().starts_with(' ')) {
    size_t indent = std::string::npos;
    for (const std::string& line : paragraph) indent = std::min(indent, line.find_first_not_of(' '));
    std::vector<std::string> lines;
    for (const std::string& line : paragraph) lines.push_back(line.substr(indent));
    page.block(fmt::format("{}", fmt::join(lines, "\n")));
  } else {
    page.paragraph(words(fmt::format("{}", fmt::join(paragraph, "\n"))));
  }
}

void HeaderText::quote(Page& page) const {
  for (const Paragraph& paragraph : paragraphs_) add(page, paragraph);
}

void HeaderText::quote(Page& page, std::string_view begin) const {
  for (const Paragraph& paragraph : paragraphs_) {
    const auto line = std::ranges::find_if(paragraph, [&](const std::string& text) { return trimmed(text).starts_with(begin); });
    if (line != paragraph.end()) return add(page, {line, paragraph.end()});
  }
  throw std::runtime_error(fmt::format("no line of the comment that opens {} begins with '{}'", file_, begin));
}

std::vector<Constant> HeaderText::defines(std::initializer_list<std::string_view> prefixes) const {
  const std::regex form(R"(#define (\w+) +(.*?)(?: *\/\* *(.*?) *\*\/)?)");
  std::vector<Constant> found;
  for (const std::string_view prefix : prefixes) {
    const size_t before = found.size();
    std::istringstream lines(text_);
    std::smatch parts;
    for (std::string line; std::getline(lines, line);)
      if (std::regex_match(line, parts, form) && parts.str(1).starts_with(prefix))
        found.push_back({.name = parts[1], .value = plain(parts[2]), .comment = parts[3]});
    if (found.size() == before) throw std::runtime_error(fmt::format("{} defines no {}…", file_, prefix));
  }
  return found;
}

std::vector<Constant> HeaderText::enumerators(std::string_view enumeration) const {
  const size_t begin = text_.find(fmt::format("enum {} {{", enumeration));
  if (begin == std::string::npos) throw std::runtime_error(fmt::format("{} has no enum {}", file_, enumeration));
  const std::string body = text_.substr(begin, text_.find("};", begin) - begin);
  const std::regex form(R"((KAWARA_\w+) = (\w+))");
  std::vector<Constant> found;
  for (std::sregex_iterator at(body.begin(), body.end(), form), end; at != end; ++at)
    found.push_back({.name = (*at)[1], .value = (*at)[2], .comment = ""});
  return found;
}

void add_constants(Page& page, const std::vector<Constant>& constants) {
  const bool commented = std::ranges::any_of(constants, [](const Constant& constant) { return !constant.comment.empty(); });
  Page::Rows rows;
  for (const auto& [name, value, comment] : constants) {
    rows.push_back({code(name), code(value)});
    if (commented) rows.back().push_back(words(comment));
  }
  page.table(commented ? std::vector<std::string>{"constant", "value", "meaning"} : std::vector<std::string>{"constant", "value"}, rows);
}

}  // namespace kawara::manual
