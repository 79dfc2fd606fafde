// SPDX-License-Identifier: Apache-2.0
#include "support/check.h"

#include <map>
#include <regex>
#include <sstream>
#include <vector>

#include <fmt/format.h>

namespace kawara::support {

namespace {

struct Check {
  enum class Kind { plain, next, none, label } kind;
  std::string pattern;
  size_t line;
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    line = std::regex_replace(line, std::regex("\\s+"), " ");
    if (line.starts_with(' ')) line.erase(0, 1);
    lines.push_back(line);
  }
  return lines;
}

std::vector<Check> checks_of(std::string_view text) {
  static const std::regex form("CHECK(-NEXT|-NOT|-LABEL)?: ?(.*?) *$");
  std::vector<Check> checks;
  const auto lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(lines[i], match, form)) continue;
    const std::string kind = match[1];
    checks.push_back({kind == "-NEXT"    ? Check::Kind::next
                      : kind == "-NOT"   ? Check::Kind::none
                      : kind == "-LABEL" ? Check::Kind::label
                                         : Check::Kind::plain,
                      match[2], i + 1});
  }
  return checks;
}

class Matcher {
 public:
  bool matches(const std::string& pattern, const std::string& line) {
    std::vector<std::string> names;
    const std::regex expression(translate(pattern, names));
    std::smatch match;
    if (!std::regex_search(line, match, expression)) return false;
    for (size_t i = 0; i < names.size(); ++i) bound_[names[i]] = match[i + 1];
    return true;
  }

 private:
  static std::string literal(const std::string& text) { return std::regex_replace(text, std::regex(R"([.^$|()\[\]{}*+?\\])"), "\\$&"); }

  std::string translate(const std::string& pattern, std::vector<std::string>& names) const {
    static const std::regex variable(R"(\[\[(\w+)(:(.*?))?\]\])");
    std::string result;
    auto at = pattern.begin();
    for (std::sregex_iterator i(pattern.begin(), pattern.end(), variable); i != std::sregex_iterator(); ++i) {
      result += literal({at, (*i)[0].first});
      at = (*i)[0].second;
      if ((*i)[2].matched) {
        names.push_back((*i)[1]);
        result += fmt::format("({})", (*i)[3].str());
      } else {
        const auto found = bound_.find((*i)[1]);
        result += found == bound_.end() ? "(?!)" : literal(found->second);
      }
    }
    return result + literal({at, pattern.end()});
  }

  std::map<std::string, std::string> bound_;
};

}  // namespace

std::string check(std::string_view checks_text, std::string_view text) {
  const auto checks = checks_of(checks_text);
  if (checks.empty()) return "there are no checks";
  const auto lines = lines_of(text);
  Matcher matcher;
  // Where each label's part ends: at the next label.
  std::vector<size_t> ends(checks.size(), lines.size());
  size_t from = 0, previous = checks.size();
  for (size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].kind != Check::Kind::label) continue;
    while (from < lines.size() && !matcher.matches(checks[i].pattern, lines[from])) ++from;
    if (from == lines.size()) return fmt::format("line {}: no line contains '{}' in:\n{}", checks[i].line, checks[i].pattern, text);
    for (size_t before = previous == checks.size() ? 0 : previous; before < i; ++before) ends[before] = from;
    previous = i;
    ++from;
  }

  std::vector<const Check*> forbidden;
  size_t at = 0;  // the first line that is not matched yet
  const auto violated = [&](size_t end) -> const Check* {
    for (const Check* check : forbidden)
      for (size_t line = at; line < end; ++line)
        if (matcher.matches(check->pattern, lines[line])) return check;
    return nullptr;
  };
  for (size_t i = 0; i < checks.size(); ++i) {
    const Check& check = checks[i];
    if (check.kind == Check::Kind::none) {
      forbidden.push_back(&check);
      const bool is_last = i + 1 == checks.size() || checks[i + 1].kind == Check::Kind::label;
      if (!is_last) continue;
      if (const Check* broken = violated(ends[i]))
        return fmt::format("line {}: '{}' must not stand in:\n{}", broken->line, broken->pattern, text);
      forbidden.clear();
      continue;
    }
    size_t line = at;
    const size_t end = check.kind == Check::Kind::next ? std::min(at + 1, ends[i]) : ends[i];
    while (line < end && !matcher.matches(check.pattern, lines[line])) ++line;
    if (line >= end)
      return fmt::format("line {}: '{}' is not {} after line {} of:\n{}", check.line, check.pattern,
                         check.kind == Check::Kind::next ? "right" : "found", at, text);
    if (const Check* broken = violated(line))
      return fmt::format("line {}: '{}' must not stand before '{}' in:\n{}", broken->line, broken->pattern, check.pattern, text);
    forbidden.clear();
    at = line + 1;
  }
  return "";
}

}  // namespace kawara::support
