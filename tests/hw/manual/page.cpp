// SPDX-License-Identifier: Apache-2.0
#include "page.h"

#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kawara::manual {

namespace {

// The anchor that readers of Markdown give a heading.
std::string anchor(std::string_view title) {
  std::string anchor;
  for (const unsigned char c : title) {
    if (c == ' ') anchor += '-';
    if (std::isalnum(c) || c == '_' || c == '-') anchor += static_cast<char>(std::tolower(c));
  }
  return anchor;
}

// A bar ends a cell, between backticks too.
std::string cell(std::string_view text) {
  std::string cell;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '|' && (i == 0 || text[i - 1] != '\\')) cell += '\\';
    cell += text[i];
  }
  return cell;
}

std::string line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& text : cells) line += text.empty() ? " |" : fmt::format(" {} |", cell(text));
  return line + '\n';
}

}  // namespace

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string link_to(std::string_view title) { return fmt::format("[{}](#{})", title, anchor(title)); }

std::string words(std::string_view text) {
  std::string result;
  bool verbatim = false;
  const auto at = [&](size_t i) { return i < text.size() ? text[i] : ' '; };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '`') verbatim = !verbatim;
    const bool product = at(i - 1) == ' ' && at(i + 1) == ' ';
    const bool tag = std::isalpha(static_cast<unsigned char>(at(i + 1))) || at(i + 1) == '/' || at(i + 1) == '!';
    if (!verbatim && (c == '|' || (c == '*' && !product) || (c == '<' && tag))) result += '\\';
    result += c;
  }
  return result;
}

void Page::heading(int level, std::string_view title) {
  headings_.push_back({level, std::string(title)});
  body_ += fmt::format("{} {}\n\n", std::string(static_cast<size_t>(level), '#'), title);
}

void Page::paragraph(std::string_view text) { body_ += fmt::format("{}\n\n", text); }

void Page::block(std::string_view text) { body_ += fmt::format("```text\n{}\n```\n\n", text); }

void Page::table(const std::vector<std::string>& columns, const Rows& rows) {
  if (rows.empty()) return;
  body_ += line(columns) + '|';
  for (size_t i = 0; i < columns.size(); ++i) body_ += "---|";
  body_ += '\n';
  for (const auto& row : rows) body_ += line(row);
  body_ += '\n';
}

std::string Page::contents() const {
  std::string contents;
  std::vector<std::string> sections;
  const auto end_chapter = [&] {
    if (!sections.empty()) contents += fmt::format(": {}", fmt::join(sections, ", "));
    sections.clear();
  };
  for (const Heading& heading : headings_) {
    if (heading.level > 2) {
      sections.push_back(link_to(heading.title));
      continue;
    }
    end_chapter();
    contents += fmt::format("{}- {}", contents.empty() ? "" : "\n", link_to(heading.title));
  }
  end_chapter();
  return contents + "\n\n";
}

}  // namespace kawara::manual
