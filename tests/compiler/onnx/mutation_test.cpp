// SPDX-License-Identifier: Apache-2.0
// Damaged files: each is refused with an error of ours, or still a valid graph; sanitizers watch for everything else.
#include <random>

#include <gmock/gmock.h>

#include "model_writer.h"
#include "passes/passes.h"
#include "specialise.h"

namespace kawara::compiler {

namespace {

// Reads, and compiles as far as this folder goes. Any exception but Error fails the test.
bool survives(const std::string& bytes) {
  try {
    Graph graph = read(bytes);
    graph.verify();
    specialise(graph, {{"x", {1, 2}}});
    run_passes(graph);
    return true;
  } catch (const Error& error) {
    EXPECT_NE(error.code(), Code::internal) << error.what();
    EXPECT_STRNE(error.what(), "");
    return false;
  }
}

// Folds, reshapes and refuses, with as many fields as a small file can have.
std::string rich_model() {
  GraphParts parts = small_parts();
  parts.initializers.push_back(tensor("starts", 7, {1}, std::string(8, '\0')));
  parts.initializers.push_back(tensor("ends", 7, {1}, std::string("\1\0\0\0\0\0\0\0", 8)));
  const auto integer = [](const std::string& name, int64_t value) {
    return message([&](auto& fields) {
      fields.add_string(1, name);
      fields.add_int64(3, value);
      fields.add_int32(20, 2);
    });
  };
  parts.nodes.push_back(node("Shape", {"y"}, {"shape"}));
  parts.nodes.push_back(node("Slice", {"shape", "starts", "ends"}, {"first"}));
  parts.nodes.push_back(node("Concat", {"first", "ends"}, {"wanted"}, {integer("axis", 0)}));
  parts.nodes.push_back(node("Cast", {"wanted"}, {"as_i32"}, {integer("to", 6)}));
  parts.nodes.push_back(node("Cast", {"as_i32"}, {"as_i64"}, {integer("to", 7)}));
  parts.nodes.push_back(node("Expand", {"w", "as_i64"}, {"wide"}));
  parts.nodes.push_back(node("Transpose", {"wide"}, {"turned"}));
  parts.nodes.push_back(node("Range", {"starts", "ends", "ends"}, {"range"}));
  parts.nodes.push_back(node("ConstantOfShape", {"range"}, {"zeros"}));
  parts.nodes.push_back(node("Gather", {"wide", "range"}, {"gathered"}, {integer("axis", 0)}));
  const std::string epsilon = message([&](auto& fields) {
    fields.add_string(1, "epsilon");
    fields.add_float(2, 1e-3f);
    fields.add_int32(20, 1);
  });
  parts.nodes.push_back(node("BatchNormalization", {"y", "w", "w", "w", "w"}, {"normal"}, {epsilon}));
  parts.nodes.push_back(node("Clip", {"normal"}, {"clipped"}));
  parts.nodes.push_back(node("Mul", {"y", "clipped"}, {"z"}));
  parts.outputs.push_back(value_info("z", 1, {-1, 2}));
  return model(parts);
}

TEST(DamagedOnnx, TheFileBeforeTheDamageIsRight) { EXPECT_TRUE(survives(rich_model())); }

TEST(DamagedOnnx, EveryPrefixIsRefused) {
  const std::string bytes = model(small_parts());
  // Behind the graph only versions and metadata are missing: the last fields may be cut off cleanly.
  const size_t graph_end = bytes.find("author") - 6;
  for (size_t size = 0; size < graph_end; ++size) EXPECT_FALSE(survives(bytes.substr(0, size))) << size;
}

TEST(DamagedOnnx, EveryByteMayChange) {
  const std::string bytes = rich_model();
  for (size_t at = 0; at < bytes.size(); ++at)
    for (int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      survives(damaged);
    }
}

TEST(DamagedOnnx, RandomMutationsDoNoHarm) {
  const std::string bytes = rich_model();
  std::mt19937 random(20240607);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = bytes;
    for (unsigned count = random() % 8 + 1; count-- > 0;) {
      const size_t at = random() % damaged.size();
      switch (random() % 4) {
        case 0: damaged[at] = static_cast<char>(random()); break;
        case 1: damaged.erase(at, random() % 16); break;
        case 2: damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 16)); break;
        case 3: damaged[at] ^= static_cast<char>(1u << random() % 8); break;
      }
      if (damaged.empty()) damaged.push_back('x');
    }
    survives(damaged);
  }
}

}  // namespace

}  // namespace kawara::compiler
