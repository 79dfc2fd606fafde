// SPDX-License-Identifier: Apache-2.0
#include "emulator/emulator_node.h"

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <cstddef>
#include <map>
#include <memory_resource>
#include <mutex>
#include <vector>

#include "emulator/chips.h"
#include "emulator/driver/driver.h"
#include "kawara/error.h"

namespace kawara::emulator {
namespace {

constexpr size_t kCountMax = 1024;
constexpr size_t kVmsMax = 64, kQueuesMax = 256;
constexpr uint64_t kAddressEnd = uint64_t{1} << KAWARA_VA_BITS;
constexpr std::chrono::milliseconds kTimeoutMax{600'000};

// What a client holds under numbers, as the kernel's handles: each kind its own, none given twice.
template <typename Id, typename Object>
class Handles {
 public:
  explicit Handles(std::string_view kind) : kind_(kind) {}

  Id add(std::shared_ptr<Object> object) {
    objects_.emplace(++last_, std::move(object));
    return Id{last_};
  }
  std::shared_ptr<Object> get(Id id) const {
    const auto found = objects_.find(static_cast<uint32_t>(id));
    if (found == objects_.end()) throw fail(Code::not_found, "{} {}: there is none", kind_, static_cast<uint32_t>(id));
    return found->second;
  }
  void remove(Id id) { objects_.erase(static_cast<uint32_t>(id)); }
  size_t size() const { return objects_.size(); }
  const std::map<uint32_t, std::shared_ptr<Object>>& all() const { return objects_; }

 private:
  std::string_view kind_;
  std::map<uint32_t, std::shared_ptr<Object>> objects_;
  uint32_t last_ = 0;
};

struct BoHandle {
  std::shared_ptr<BufferObject> bo;
  std::shared_ptr<Vm> vm;
};

// A few points take no memory.
struct Points {
  std::array<std::byte, 4 * 4 * sizeof(TimelinePoint)> room;  // a list that grows leaves its old places behind
  std::pmr::monotonic_buffer_resource memory{room.data(), room.size()};
  std::pmr::vector<TimelinePoint> list{&memory};
};

void check_count(size_t count, std::string_view what) {
  if (count > kCountMax) throw fail(Code::invalid_argument, "{} {}: at most {} in one call", count, what, kCountMax);
}

void check_part(uint64_t address, uint64_t size_bytes, std::string_view what) {
  if (address > kAddressEnd || size_bytes > kAddressEnd - address) {
    throw fail(Code::invalid_argument, "{} at {:#x}: leaves the address space", what, address);
  }
}

// What else there is to a job, its packet's rules say.
void check_job(const NodeJob& job) {
  check_part(static_cast<uint64_t>(job.commands), job.command_bytes, "commands");
  check_part(static_cast<uint64_t>(job.regions), sizeof(kawara_region) * uint64_t{job.region_count}, "region table");
  check_part(static_cast<uint64_t>(job.record), sizeof(kawara_record), "record");
}

}  // namespace

class EmulatorNode final : public Node {
 public:
  explicit EmulatorNode(const EmulatorOptions& options)
      : options_(options), process_(getpid()), state_(std::make_unique<State>(shared_driver(options))) {}

  ~EmulatorNode() override {
    if (forked()) {
      state_.release();  // its threads, locks and pages are the parent's
      return;
    }
    for (const auto& [id, queue] : state_->queues.all()) driver().queue_close(queue);
    for (const auto& [id, vm] : state_->vms.all()) driver().vm_close(vm);
  }

  void inject_hang(QueueId id, uint32_t command) {
    const auto lock = enter();
    driver().inject_hang(*state_->queues.get(id), command);
  }

  NodeInfo info() const override {
    check_process();
    NodeInfo info{.name = "emulator", .kind = "emulator", .executor = options_.executor, .config = options_.config};
    driver().fill(info);
    info.computes_on = computes_on(options_.executor);
    return info;
  }

  VmId vm_create() override {
    const auto lock = enter();
    if (state_->vms.size() == kVmsMax) throw fail(Code::out_of_memory, "a client may have {} address spaces", kVmsMax);
    return state_->vms.add(driver().vm_create());
  }

  void vm_destroy(VmId id) override {
    const auto lock = enter();
    if (!driver().vm_close(state_->vms.get(id))) throw fail(Code::invalid_argument, "the address space still has queues");
    state_->vms.remove(id);
  }

  BoId bo_create(VmId vm, Memory memory, uint64_t size_bytes) override {
    auto owner = get(vm);
    if (memory != Memory::system && memory != Memory::local) {
      throw fail(Code::invalid_argument, "memory is system or local, not {}", static_cast<int>(memory));
    }
    if (size_bytes == 0 || size_bytes > kAddressEnd) {
      throw fail(Code::invalid_argument, "{} bytes: a buffer has 1 to {}", size_bytes, kAddressEnd);
    }
    auto bo = driver().bo_create(memory, (size_bytes + 4095) & ~uint64_t{4095});
    const auto lock = enter();
    return state_->buffers.add(std::make_shared<BoHandle>(std::move(bo), std::move(owner)));
  }

  void bo_close(BoId id) override {
    std::shared_ptr<BoHandle> last;  // ends after the lock
    const auto lock = enter();
    last = state_->buffers.get(id);
    state_->buffers.remove(id);
  }

  Mapping bo_map(BoId id) override {
    const auto lock = enter();
    auto bo = state_->buffers.get(id)->bo;
    const auto bytes = bo->bytes();
    return Mapping(bytes, [bo = std::move(bo), process = process_]() mutable {
      if (getpid() != process) new std::shared_ptr<BufferObject>(std::move(bo));  // never freed here: it is the parent's
    });
  }

  void bind(VmId id, std::span<const BindOp> operations) override {
    check_count(operations.size(), "operations");
    auto vm = get(id);
    std::vector<std::shared_ptr<BufferObject>> buffers(operations.size());
    {
      const auto lock = enter();
      for (size_t i = 0; i < operations.size(); ++i) {
        if (operations[i].kind == BindOp::Kind::unmap) continue;
        const auto handle = state_->buffers.get(operations[i].bo);
        if (handle->vm != vm) throw fail(Code::invalid_argument, "the buffer belongs to another address space");
        buffers[i] = handle->bo;
      }
    }
    driver().bind(vm, operations, buffers);
  }

  QueueId queue_create(VmId vm, Priority priority, std::chrono::milliseconds timeout) override {
    if (timeout.count() <= 0 || timeout > kTimeoutMax) {
      throw fail(Code::invalid_argument, "a timeout of {} ms: 1 to {}", timeout.count(), kTimeoutMax.count());
    }
    const auto lock = enter();
    if (state_->queues.size() == kQueuesMax) throw fail(Code::out_of_memory, "a client may have {} queues", kQueuesMax);
    return state_->queues.add(driver().queue_create(state_->vms.get(vm), priority, timeout));
  }

  void queue_destroy(QueueId id) override {
    const auto lock = enter();
    driver().queue_close(state_->queues.get(id));
    state_->queues.remove(id);
  }

  QueueState queue_state(QueueId id) const override {
    const auto lock = enter();
    return driver().queue_state(*state_->queues.get(id));
  }

  void submit(QueueId id, std::span<const NodeJob> jobs, std::span<const Point> waits, std::span<const Point> signals) override {
    check_count(jobs.size(), "jobs");
    for (const NodeJob& job : jobs) check_job(job);
    Points wait_for, then_signal;
    resolve(waits, wait_for);
    resolve(signals, then_signal);
    std::shared_ptr<UserQueue> queue;
    {
      const auto lock = enter();
      queue = state_->queues.get(id);
    }
    driver().submit(queue, jobs, wait_for.list, then_signal.list);
  }

  TimelineId timeline_create() override {
    const auto lock = enter();
    return state_->timelines.add(std::make_shared<Timeline>());
  }

  void timeline_destroy(TimelineId id) override {
    const auto lock = enter();
    state_->timelines.get(id);
    state_->timelines.remove(id);
  }

  std::optional<size_t> wait(std::span<const Point> which, Deadline deadline, bool all) override {
    if (which.empty()) throw fail(Code::invalid_argument, "a wait without points");
    Points found;
    resolve(which, found);
    return driver().wait(found.list, deadline, all);
  }

  void notify(Point point, int eventfd) override {
    Points found;
    resolve({&point, 1}, found);
    FileDescriptor own(fcntl(eventfd, F_DUPFD_CLOEXEC, 0));
    if (own.number() < 0) throw fail(Code::invalid_argument, "eventfd {}: not an open file", eventfd);
    driver().notify(found.list.front(), std::move(own));
  }

 private:
  struct State {
    explicit State(std::shared_ptr<Driver> driver) : driver(std::move(driver)) {}
    std::shared_ptr<Driver> driver;  // ends last
    std::mutex mutex;
    Handles<VmId, Vm> vms{"address space"};
    Handles<BoId, BoHandle> buffers{"buffer"};
    Handles<QueueId, UserQueue> queues{"queue"};
    Handles<TimelineId, Timeline> timelines{"timeline"};
  };

  Driver& driver() const { return *state_->driver; }
  bool forked() const { return getpid() != process_; }
  void check_process() const {
    if (forked()) throw fail(Code::forked, "this node was opened by process {}", process_);
  }
  std::unique_lock<std::mutex> enter() const {
    check_process();
    return std::unique_lock(state_->mutex);
  }
  std::shared_ptr<Vm> get(VmId id) const {
    const auto lock = enter();
    return state_->vms.get(id);
  }
  void resolve(std::span<const Point> from, Points& to) const {
    check_count(from.size(), "points");
    const auto lock = enter();
    for (const Point& point : from) {
      if (point.value == 0) throw fail(Code::invalid_argument, "point 0: points start at 1");
      to.list.push_back({state_->timelines.get(point.timeline), point.value});
    }
  }

  const EmulatorOptions options_;
  const pid_t process_;
  std::unique_ptr<State> state_;
};

std::unique_ptr<Node> open_emulator(const EmulatorOptions& options) { return std::make_unique<EmulatorNode>(options); }

void inject_hang(Node& node, QueueId queue, uint32_t command) { dynamic_cast<EmulatorNode&>(node).inject_hang(queue, command); }

}  // namespace kawara::emulator
