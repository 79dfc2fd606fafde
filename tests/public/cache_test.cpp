// SPDX-License-Identifier: Apache-2.0
// Sessions and the cache folder, as files tell of it.
#include "kawara/cache.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "kawara/inference_session.h"
#include "support/folder.h"
#include "support/small_model.h"

namespace kawara::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr const char* kDevice = "emulator:reference,config=k1-mini";

class Cache : public testing::Test {
 protected:
  Cache() { setenv("KAWARA_CACHE", place().c_str(), 1); }
  ~Cache() override {
    unsetenv("KAWARA_CACHE_BYTES");
    setenv("KAWARA_CACHE", "off", 1);
  }

  fs::path place() const { return folder_.path() / "cache"; }
  fs::path model(const std::string& name = "m.onnx", std::string_view content = small_model()) const {
    return folder_.write(name, content);
  }
  // y for x = -1, 0, 1, 5.
  static std::array<float, 4> run(const fs::path& model, const std::string& device = kDevice, const CompileOptions& options = {}) {
    InferenceSession session(model, device, options);
    const std::array<float, 4> x{-1, 0, 1, 5};
    const auto y = session.run({}, {{.name = "x", .dtype = DType::f32, .shape = {4}, .bytes = std::as_bytes(std::span(x))}});
    std::array<float, 4> result;
    std::memcpy(result.data(), y.at(0).bytes.data(), sizeof result);
    return result;
  }
  std::vector<fs::path> entries() const {
    std::vector<fs::path> entries;
    if (fs::exists(place() / "programs"))
      for (const auto& entry : fs::directory_iterator(place() / "programs")) entries.push_back(entry.path());
    return entries;
  }
  // Long ago, so that a later use shows.
  static void age(const fs::path& entry, std::chrono::hours by = 48h) { fs::last_write_time(entry, fs::file_time_type::clock::now() - by); }
  static bool used_lately(const fs::path& entry) { return fs::file_time_type::clock::now() - fs::last_write_time(entry) < 1h; }

  Folder folder_;
};

TEST_F(Cache, KeepsOneProgramForOneModelAndChip) {
  EXPECT_THAT(run(model()), ElementsAre(0, 0, 1, 5));
  ASSERT_THAT(entries(), SizeIs(1));
  age(entries()[0]);
  EXPECT_THAT(run(model("copy_under_another_name.onnx")), ElementsAre(0, 0, 1, 5));
  ASSERT_THAT(entries(), SizeIs(1));
  EXPECT_TRUE(used_lately(entries()[0]));
  run(model(), "emulator:reference,config=k1");  // compiled for another chip
  EXPECT_THAT(entries(), SizeIs(2));
}

TEST_F(Cache, NeverGivesAnotherModelsProgram) {
  run(model());
  EXPECT_THAT(run(model("m.onnx", small_model("Neg"))), ElementsAre(1, 0, -1, -5));
  EXPECT_THAT(entries(), SizeIs(2));
}

TEST_F(Cache, IsReallyRead) {
  run(model());
  // the program of Neg under the name of Relu's: what comes out tells where it came from
  const fs::path relu = entries().at(0);
  const std::string key = relu.stem().string().substr(0, 33);
  run(model("n.onnx", small_model("Neg")));
  for (const fs::path& entry : entries()) {
    if (entry == relu) continue;
    fs::rename(entry, relu.parent_path() / (key + entry.stem().string().substr(33) + ".kwr"));
  }
  fs::remove(relu);
  EXPECT_THAT(run(model()), ElementsAre(1, 0, -1, -5));
}

TEST_F(Cache, DropsWhatIsDamaged) {
  run(model());
  const fs::path entry = entries().at(0);
  const uint64_t bytes = fs::file_size(entry);
  for (const uint64_t at : {uint64_t{0}, bytes / 2, bytes - 1}) {
    std::fstream stream(entry, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(static_cast<std::streamoff>(at));
    const char was = static_cast<char>(stream.get());
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(was ^ 0x10));
    stream.close();
    EXPECT_THAT(run(model()), ElementsAre(0, 0, 1, 5)) << at;
    EXPECT_EQ(entries(), std::vector{entry}) << "compiled again, to the same bytes";
  }
  fs::resize_file(entry, bytes / 2);
  EXPECT_THAT(run(model()), ElementsAre(0, 0, 1, 5));
  EXPECT_EQ(fs::file_size(entry), bytes);
}

TEST_F(Cache, StaysWithinItsBoundAndForgetsTheLeastRecentlyUsed) {
  const std::array models = {model("a.onnx"), model("b.onnx", small_model("Neg")), model("c.onnx", small_model("Abs"))};
  run(models[0]);
  const fs::path first = entries().at(0);
  run(models[1]);
  for (const fs::path& entry : entries()) age(entry, entry == first ? 48h : 72h);
  // five eighths are for programs: room for two of the three
  setenv("KAWARA_CACHE_BYTES", std::to_string(fs::file_size(first) * 5 / 2 * 8 / 5).c_str(), 1);
  run(models[2]);
  const auto left = entries();
  EXPECT_THAT(left, SizeIs(2));
  EXPECT_THAT(left, testing::Contains(first)) << "the one used later";
}

TEST_F(Cache, HoldsNothingThatIsLargerThanItsBound) {
  setenv("KAWARA_CACHE_BYTES", "16", 1);
  EXPECT_THAT(run(model()), ElementsAre(0, 0, 1, 5));
  EXPECT_THAT(entries(), SizeIs(0));
}

TEST_F(Cache, IsLeftAloneWhenOffForASessionOrTheProcess) {
  run(model(), kDevice, {.cache = false});
  EXPECT_THAT(entries(), SizeIs(0));
  setenv("KAWARA_CACHE", "off", 1);
  run(model());
  EXPECT_FALSE(fs::exists(place()));
}

TEST_F(Cache, ThatCannotBeWrittenStopsNobody) {
  folder_.write("cache", "a file where the folder should be");
  EXPECT_THAT(run(model()), ElementsAre(0, 0, 1, 5));
}

TEST_F(Cache, ForgetsAbandonedFiles) {
  fs::create_directories(place() / "programs");
  const fs::path abandoned = place() / "programs" / "x-1-0.unfinished", young = place() / "programs" / "x-2-0.unfinished";
  std::ofstream(abandoned) << "half";
  std::ofstream(young) << "half";
  age(abandoned);
  run(model());
  EXPECT_FALSE(fs::exists(abandoned));
  EXPECT_TRUE(fs::exists(young)) << "somebody may still write it";
}

TEST_F(Cache, IsSharedByManyProcesses) {
  const fs::path path = model();
  setenv("KAWARA_CACHE_BYTES", "20000", 1);  // so small that they take entries from each other
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      bool right = true;
      for (int round = 0; round < 5; ++round) {
        const std::string op = (i + round) % 2 ? "Relu" : "Neg";
        const auto y = run(model(std::to_string(i) + ".onnx", small_model(op)));
        right = right && y == (op == "Relu" ? std::array<float, 4>{0, 0, 1, 5} : std::array<float, 4>{1, 0, -1, -5});
      }
      _exit(right ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (const fs::path& entry : entries()) EXPECT_EQ(entry.extension(), ".kwr");
}

TEST_F(Cache, CountsAndClears) {
  run(model());
  const CacheUse use = cache_use();
  EXPECT_EQ(use.programs, 1u);
  EXPECT_EQ(use.program_bytes, fs::file_size(entries().at(0)));
  folder_.write("cache/somebody_elses", "stays");
  EXPECT_EQ(clear_cache().programs, 1u);
  EXPECT_EQ(cache_use().programs, 0u);
  EXPECT_TRUE(fs::exists(place() / "somebody_elses"));
}

}  // namespace
}  // namespace kawara::test
