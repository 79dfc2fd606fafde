// SPDX-License-Identifier: Apache-2.0
// The inside of a chip: its parts, the lock over the registers, and the thread that serves the queues.
//
// One thread serves packets, a segment at a time, without the lock; it takes the lock to start and to end a segment. So a
// register access waits for no job. Between its segments a job is suspended, its queue READY, and other queues have their turn.
// A queue whose job hangs leaves the thread free: others go on, except for jobs, which find the engines taken and wait in READY.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "emulator/chip/arbiter.h"
#include "emulator/chip/chip.h"
#include "emulator/chip/command_processor.h"
#include "emulator/chip/local_memory.h"
#include "emulator/chip/management_interrupt.h"
#include "emulator/chip/queue.h"
#include "emulator/chip/register_file.h"

namespace kawara::emulator {

struct Chip::State {
  State(const kawara_config& config, HostMemory& host, const ExecutorFactory& executor, Interrupt interrupt);
  ~State();

  // chip_registers.cpp: the bus's side.
  uint32_t read(uint32_t address);
  void write(uint32_t address, uint32_t value);
  ChipCounters counters();

  LocalMemory local;
  Sram sram;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void set_identity();  // the registers that tell what this chip is
  uint32_t status() const;
  uint64_t timestamp() const;
  void write_global(uint32_t offset, uint32_t value);
  void write_context(uint32_t number, uint32_t offset, uint32_t value);
  void act(unsigned queue, Queue::Effect effect);
  void stop_queue(unsigned queue);
  void request_device_reset();
  void reset_device();
  void end_job(unsigned queue);

  // chip_thread.cpp: the chip's side.
  // How the chip leaves a packet.
  struct PacketEnd {
    enum class Kind { retired, suspended, waits, faulted, stopped, hung } kind = Kind::retired;
    ChipFault fault{};
    bool interrupt = false;  // send the queue's vector
    uint64_t cycles = 1;     // what the packet's part took of the chip
  };
  static PacketEnd faulted(const ChipFault& fault);
  void serve_queues();
  std::optional<unsigned> next_queue();
  void serve(unsigned queue, Lock& lock);
  PacketEnd serve_packet(unsigned queue, uint64_t address);
  PacketEnd run(unsigned queue, const kawara_run_packet& packet);
  PacketEnd resume(unsigned queue);
  PacketEnd left(unsigned queue, const JobEnd& end);
  void count(const kawara_job_cost& cost);
  PacketEnd signal(unsigned queue, const kawara_signal_packet& packet);
  PacketEnd clear(unsigned queue, const kawara_clear_packet& packet);
  void finish(unsigned queue, const PacketEnd& end);
  std::optional<uint32_t> fire_hang(unsigned queue, uint32_t command_count);
  JobControl control();

  const kawara_config config_;
  HostMemory& host_;
  const Interrupt interrupt_;
  CommandProcessor processor_;
  const std::chrono::steady_clock::time_point born_ = std::chrono::steady_clock::now();

  std::mutex mutex_;  // over all below but `stop_`, and but the job of the queue that is being served
  std::condition_variable changed_;
  RegisterFile registers_;
  std::vector<Queue> queues_;
  struct Retired {
    uint64_t tag = 0;
    kawara_job_cost cost{};
  };
  std::array<Retired, KAWARA_QUEUE_COUNT> retired_{};        // the job that each queue retired last
  std::array<uint64_t, KAWARA_CONTEXT_COUNT> identities_{};  // see JobContext
  uint64_t next_identity_ = 0;
  Arbiter arbiter_;
  std::vector<std::unique_ptr<QueueJob>> jobs_;                                // of each queue
  Arbiter::QueueMask under_way_ = 0;                                           // queues whose job has started and not ended
  std::array<Arbiter::QueueMask, KAWARA_CONTEXT_COUNT> invalidation_waits_{};  // for the jobs of these queues
  ChipCounters counters_;
  std::optional<unsigned> serving_;  // the queue whose packet the thread is at
  std::optional<unsigned> hung_;     // the queue whose job holds the engines for ever
  Arbiter::QueueMask waits_for_engines_ = 0;
  bool resetting_ = false;  // a device reset waits for the thread
  bool ending_ = false;
  std::atomic<bool> stop_ = false;  // the packet that is being served is to end soon

  ManagementInterrupt management_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace kawara::emulator
