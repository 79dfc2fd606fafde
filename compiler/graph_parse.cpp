// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "graph_text.h"
#include "kawara/error.h"
#include "tensor_text.h"

namespace kawara::compiler {

namespace {

struct Token {
  enum class Kind { end, word, text, mark } kind = Kind::end;
  std::string content;
  size_t line = 1;
};

// Words are runs of letters, digits and _ . $ / - +; texts are quoted; all else is one mark each.
class Tokens {
 public:
  explicit Tokens(std::string_view source) : source_(source) { advance(); }

  const Token& peek() const { return token_; }
  Token take() {
    Token taken = token_;
    advance();
    return taken;
  }
  bool accept(std::string_view content) {
    if (token_.kind == Token::Kind::text || token_.kind == Token::Kind::end || token_.content != content) return false;
    advance();
    return true;
  }
  void expect(std::string_view content) {
    if (!accept(content)) throw error(fmt::format("expected '{}'", content));
  }
  Token expect(Token::Kind kind, const char* what) {
    if (token_.kind != kind) throw error(fmt::format("expected {}", what));
    return take();
  }
  int64_t integer() {
    const Token token = expect(Token::Kind::word, "an integer");
    char* end = nullptr;
    const int64_t value = std::strtoll(token.content.c_str(), &end, 10);
    if (*end) throw fail(Code::invalid_argument, "graph text, line {}: expected an integer, found '{}'", token.line, token.content);
    return value;
  }
  Error error(std::string_view sentence) const {
    return fail(Code::invalid_argument, "graph text, line {}: {}, found {}", token_.line, sentence,
                token_.kind == Token::Kind::end ? "the end" : fmt::format("'{}'", token_.content));
  }

 private:
  static bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$' || c == '/' || c == '-' || c == '+';
  }

  void advance() {
    while (at_ < source_.size() && (std::isspace(static_cast<unsigned char>(source_[at_])) || source_[at_] == '#')) {
      if (source_[at_] == '#') {
        at_ = std::min(source_.find('\n', at_), source_.size());
      } else {
        line_ += source_[at_++] == '\n';
      }
    }
    token_ = {.kind = Token::Kind::end, .content = {}, .line = line_};
    if (at_ >= source_.size()) return;
    if (source_[at_] == '"') return text();
    token_.kind = in_word(source_[at_]) ? Token::Kind::word : Token::Kind::mark;
    do token_.content += source_[at_++];
    while (token_.kind == Token::Kind::word && at_ < source_.size() && in_word(source_[at_]));
  }

  void text() {
    token_.kind = Token::Kind::text;
    for (++at_;; ++at_) {
      if (at_ >= source_.size()) throw fail(Code::invalid_argument, "graph text, line {}: a quoted text has no end", line_);
      char c = source_[at_];
      line_ += c == '\n';
      if (c == '"') break;
      if (c == '\\' && at_ + 1 < source_.size()) {
        c = source_[++at_];
        if (c == 'n') c = '\n';
        if (c == 'x') {
          c = static_cast<char>(std::strtol(std::string(source_.substr(at_ + 1, 2)).c_str(), nullptr, 16));
          at_ = std::min(at_ + 2, source_.size());
        }
      }
      token_.content += c;
    }
    ++at_;
  }

  std::string_view source_;
  size_t at_ = 0;
  size_t line_ = 1;
  Token token_;
};

DType dtype_named(const std::string& word) {
  for (unsigned code = 1; code < 256; ++code)
    if (name(static_cast<DType>(code)) == word && word != "invalid") return static_cast<DType>(code);
  return DType::none;
}

class Parser {
 public:
  explicit Parser(Tokens& tokens) : tokens_(tokens) {}

  Graph run() {
    tokens_.expect("graph");
    graph_.name = tokens_.expect(Token::Kind::text, "the graph's name in quotes").content;
    if (tokens_.accept("opset")) opset_ = tokens_.integer();
    tokens_.expect("(");
    while (!tokens_.accept(")")) {
      if (!graph_.inputs.empty()) tokens_.expect(",");
      graph_.inputs.push_back(define(result()));
    }
    tokens_.expect("{");
    while (!tokens_.accept("return")) statement(graph_.nodes);
    while (!tokens_.accept("}")) {
      if (!graph_.outputs.empty()) tokens_.expect(",");
      graph_.outputs.push_back(operand());
    }
    return std::move(graph_);
  }

 private:
  std::string value_name() {
    tokens_.expect("%");
    if (tokens_.peek().kind != Token::Kind::word && tokens_.peek().kind != Token::Kind::text)
      throw tokens_.error("expected a value's name");
    return tokens_.take().content;
  }

  ValueId operand() {
    if (tokens_.accept("_")) return kAbsent;
    const std::string name = value_name();
    const auto found = ids_.find(name);
    if (found == ids_.end()) throw tokens_.error(fmt::format("'%{}' is not defined", name));
    return found->second;
  }

  ValueId define(std::optional<Value> value) {
    if (!value) return kAbsent;
    if (!ids_.emplace(value->name, static_cast<ValueId>(graph_.values.size())).second)
      throw tokens_.error(fmt::format("'%{}' is defined twice", value->name));
    return graph_.add_value(std::move(*value));
  }

  std::optional<Value> result() {
    if (tokens_.accept("_")) return std::nullopt;
    Value value{.name = value_name()};
    if (tokens_.accept(":")) type(value);
    return value;
  }

  void type(Value& value) {
    const std::string word = tokens_.expect(Token::Kind::word, "a type").content;
    value.dtype = dtype_named(word);
    if (value.dtype == DType::none && word != "none") throw tokens_.error(fmt::format("'{}' is no type", word));
    if (!tokens_.accept("[")) return;
    value.shape.emplace();
    bool named = false;
    while (!tokens_.accept("]")) {
      if (!value.shape->empty()) tokens_.expect(",");
      value.dimension_names.emplace_back();
      if (tokens_.accept("?")) {
        value.shape->push_back(-1);
      } else if (std::isdigit(static_cast<unsigned char>(tokens_.peek().content.c_str()[0]))) {
        value.shape->push_back(tokens_.integer());
      } else {
        value.dimension_names.back() = tokens_.expect(Token::Kind::word, "a dimension").content;
        value.shape->push_back(-1);
        named = true;
      }
    }
    if (!named) value.dimension_names.clear();
  }

  Tensor data(DType dtype, Shape shape) {
    const std::string form = tokens_.expect(Token::Kind::word, "dense<, splat<, hex\" or random<").content;
    if (form == "hex") return hex_tensor(dtype, std::move(shape), tokens_.expect(Token::Kind::text, "hex digits in quotes").content);
    tokens_.expect("<");
    std::vector<std::string> numbers;
    while (!tokens_.accept(">")) {
      if (!numbers.empty()) tokens_.expect(",");
      numbers.push_back(tokens_.expect(Token::Kind::word, "a number").content);
    }
    if (form == "dense") return dense_tensor(dtype, std::move(shape), numbers);
    if (numbers.size() != 1) throw tokens_.error(fmt::format("{}< > holds one number", form));
    if (form == "splat") return splat_tensor(dtype, std::move(shape), numbers[0]);
    if (form == "random") return random_tensor(dtype, std::move(shape), std::strtoull(numbers[0].c_str(), nullptr, 10));
    throw tokens_.error(fmt::format("'{}' is no form of data", form));
  }

  Tensor constant() {
    Value value;
    type(value);
    try {
      return data(value.dtype, value.shape.value_or(Shape{}));
    } catch (const Error& error) {
      if (std::string_view(error.what()).starts_with("graph text")) throw;
      throw tokens_.error(error.what());
    }
  }

  void statement(std::vector<Node>& to) {
    if (tokens_.accept("metadata")) {
      std::string key = tokens_.expect(Token::Kind::text, "a key in quotes").content;
      tokens_.expect("=");
      graph_.metadata.emplace_back(std::move(key), tokens_.expect(Token::Kind::text, "a text in quotes").content);
      return;
    }
    std::vector<std::optional<Value>> results;
    do results.push_back(result());
    while (tokens_.accept(","));
    tokens_.expect("=");
    if (dtype_named(tokens_.peek().content) != DType::none) return constant_statement(results);
    Node node;
    node.op = tokens_.expect(Token::Kind::word, "an operator").content;
    const bool is_group = node.op == "group";
    if (tokens_.accept(":")) {
      tokens_.expect(":");
      node.domain = std::exchange(node.op, tokens_.expect(Token::Kind::word, "an operator").content);
    }
    node.opset = tokens_.accept("@") ? tokens_.integer() : opset_;
    tokens_.expect("(");
    while (!tokens_.accept(")")) {
      if (!node.inputs.empty()) tokens_.expect(",");
      node.inputs.push_back(operand());
    }
    if (is_group) {
      group(node, results);
    } else {
      // Defined behind the operands: a node doesn't use its own results.
      for (auto& result : results) node.outputs.push_back(define(std::move(result)));
      if (tokens_.accept("{")) {
        do attribute(node);
        while (tokens_.accept(","));
        tokens_.expect("}");
      }
    }
    if (!node.outputs.empty() && node.outputs[0] != kAbsent) node.name = graph_.values[node.outputs[0]].name;
    if (tokens_.accept("as")) node.name = tokens_.expect(Token::Kind::text, "the node's name in quotes").content;
    if (tokens_.accept("id")) node.debug_id = static_cast<uint32_t>(tokens_.integer());
    to.push_back(std::move(node));
  }

  void constant_statement(const std::vector<std::optional<Value>>& results) {
    if (results.size() != 1 || !results[0]) throw tokens_.error("a constant is one value");
    Tensor tensor = constant();
    Value value{.name = results[0]->name, .dtype = tensor.dtype, .shape = tensor.shape};
    value.constant = std::move(tensor);
    define(std::move(value));
  }

  // The body defines the group's outputs.
  void group(Node& node, const std::vector<std::optional<Value>>& results) {
    node.op = "Group";
    node.domain = "kawara";
    node.opset = 1;
    tokens_.expect("{");
    while (!tokens_.accept("}")) statement(node.body);
    for (const auto& result : results) {
      const auto inside = result ? ids_.find(result->name) : ids_.end();
      if (inside == ids_.end()) throw tokens_.error(fmt::format("the group doesn't define its output '%{}'", result ? result->name : "_"));
      node.outputs.push_back(inside->second);
    }
  }

  void attribute(Node& node) {
    const std::string name = tokens_.expect(Token::Kind::word, "an attribute's name").content;
    tokens_.expect("=");
    node.attributes.insert_or_assign(name, attribute_value());
  }

  static bool is_integer(const std::string& word) { return word.find_first_not_of("+-0123456789") == std::string::npos; }

  float real(const Token& token) {
    char* end = nullptr;
    const float value = std::strtof(token.content.c_str(), &end);
    if (*end || end == token.content.c_str())
      throw fail(Code::invalid_argument, "graph text, line {}: '{}' is no number", token.line, token.content);
    return value;
  }

  Attribute attribute_value() {
    const Token& next = tokens_.peek();
    if (next.kind == Token::Kind::text) return tokens_.take().content;
    if (tokens_.accept("[")) return list();
    if (dtype_named(next.content) != DType::none) return constant();
    for (const auto& [word, empty] : {std::pair<const char*, Attribute>{"ints", std::vector<int64_t>{}},
                                      {"floats", std::vector<float>{}},
                                      {"strings", std::vector<std::string>{}}}) {
      if (!tokens_.accept(word)) continue;
      tokens_.expect("[");
      tokens_.expect("]");
      return empty;
    }
    if (is_integer(next.content)) return tokens_.integer();
    return real(tokens_.expect(Token::Kind::word, "an attribute's value"));
  }

  Attribute list() {
    std::vector<Token> elements;
    do elements.push_back(tokens_.take());
    while (tokens_.accept(","));
    tokens_.expect("]");
    if (elements[0].kind == Token::Kind::text) {
      std::vector<std::string> texts;
      for (const Token& element : elements) texts.push_back(element.content);
      return texts;
    }
    if (is_integer(elements[0].content)) {
      std::vector<int64_t> integers;
      for (const Token& element : elements) integers.push_back(std::strtoll(element.content.c_str(), nullptr, 10));
      return integers;
    }
    std::vector<float> reals;
    for (const Token& element : elements) reals.push_back(real(element));
    return reals;
  }

  Tokens& tokens_;
  Graph graph_;
  std::map<std::string, ValueId> ids_;
  int64_t opset_ = 21;
};

}  // namespace

Graph parse_graph(std::string_view text) {
  std::vector<Graph> graphs = parse_graphs(text);
  if (graphs.size() != 1) throw fail(Code::invalid_argument, "graph text: expected one graph, found {}", graphs.size());
  return std::move(graphs[0]);
}

std::vector<Graph> parse_graphs(std::string_view text) {
  Tokens tokens(text);
  std::vector<Graph> graphs;
  while (tokens.peek().kind != Token::Kind::end) graphs.push_back(Parser(tokens).run());
  return graphs;
}

}  // namespace kawara::compiler
