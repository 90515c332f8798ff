// SPDX-License-Identifier: GPL-2.0-only
// Clocks, delays, and the workqueue functions for modules. Of the module's structures only the head
// of struct work_struct is touched (pending bit, function), which a struct delayed_work starts
// with.
#include <cstdint>

#include "host/console.h"
#include "host/left_behind.h"
#include "host/panic.h"
#include "host/time.h"
#include "host/work_queue.h"
#include "support/address.h"

namespace host = pkvmemu::host;

namespace {

struct WorkStruct {
  std::uint64_t data;  ///< bit 0: pending
  std::uint64_t entry[2];
  void (*function)(WorkStruct* work);
};
constexpr std::uint64_t pending_bit = 1;
constexpr std::uint64_t ns_per_us = 1000;
/// MAX_JIFFY_OFFSET.
constexpr unsigned long longest_delay = (~0UL >> 2) - 1;

constinit host::WorkQueue queue;
constinit std::uint64_t slept = 0;

void run(const host::WorkQueue::Item& item) {
  host::sleep_until_ns(item.due);
  auto* work = reinterpret_cast<WorkStruct*>(item.work);
  work->data &= ~pending_bit;
  work->function(work);
}

bool enqueue(WorkStruct* work, std::uint64_t delay_in_jiffies) {
  if ((work->data & pending_bit) != 0) return false;
  const std::uint64_t due = slept + delay_in_jiffies * host::ns_per_jiffy;
  if (!queue.add(reinterpret_cast<std::uint64_t>(work), due))
    host::panic("workqueue: more than %llu items are pending",
                static_cast<unsigned long long>(host::WorkQueue::capacity));
  work->data |= pending_bit;
  return true;
}

bool dequeue(WorkStruct* work) {
  work->data &= ~pending_bit;
  return queue.remove(reinterpret_cast<std::uint64_t>(work));
}

std::uint64_t counter_ns() {
  std::uint64_t count = 0;
  std::uint64_t frequency = 0;
  asm volatile("isb\n mrs %0, cntvct_el0\n mrs %1, cntfrq_el0" : "=r"(count), "=r"(frequency));
  if (frequency == 0) return 0;
  constexpr std::uint64_t ns_per_second = 1'000'000'000;
  return count / frequency * ns_per_second + count % frequency * ns_per_second / frequency;
}

}  // namespace

extern "C" {

std::uint64_t export_jiffies = 0;
/// struct workqueue_struct is opaque to modules; every queue is the same one.
std::uint64_t export_queue_object[8] = {};
void* export_system_wq = export_queue_object;

std::int64_t export_ktime_get() {
  return static_cast<std::int64_t>(counter_ns() + slept);
}

std::int64_t export_ktime_get_seconds() {
  constexpr std::int64_t ns_per_second = 1'000'000'000;
  return export_ktime_get() / ns_per_second;
}
/// For the clocks that start elsewhere: there is one.
std::int64_t export_ktime_get_with_offset(int /*clock*/) {
  return export_ktime_get();
}

unsigned export_jiffies_to_msecs(unsigned long ticks) {
  return static_cast<unsigned>(ticks * (host::ns_per_jiffy / host::ns_per_ms));
}
unsigned export_jiffies_to_usecs(unsigned long ticks) {
  return static_cast<unsigned>(ticks * (host::ns_per_jiffy / ns_per_us));
}
/// Rounded up; what is negative as a number with a sign is for ever.
unsigned long export_msecs_to_jiffies(unsigned milliseconds) {
  if (static_cast<int>(milliseconds) < 0) return longest_delay;
  return (milliseconds * host::ns_per_ms + host::ns_per_jiffy - 1) / host::ns_per_jiffy;
}
unsigned long export_usecs_to_jiffies(unsigned microseconds) {
  return (microseconds * ns_per_us + host::ns_per_jiffy - 1) / host::ns_per_jiffy;
}

void export_msleep(unsigned milliseconds) {
  host::sleep_for_ns(milliseconds * host::ns_per_ms);
}
unsigned long export_msleep_interruptible(unsigned milliseconds) {
  export_msleep(milliseconds);
  return 0;
}
void export_usleep_range(unsigned long shortest, unsigned long /*longest*/, unsigned /*state*/) {
  host::sleep_for_ns(shortest * 1000);
}
void export_udelay(unsigned long microseconds) {
  host::sleep_for_ns(microseconds * 1000);
}
void export_ndelay(unsigned long nanoseconds) {
  host::sleep_for_ns(nanoseconds);
}
/// The inline udelay() of kernel headers calls this for constants, with the delay in 2^-32 seconds.
void export_const_udelay(unsigned long scaled) {
  constexpr unsigned ns_per_second = 1'000'000'000;
  const auto product = static_cast<unsigned __int128>(scaled) * ns_per_second;
  host::sleep_for_ns(static_cast<std::uint64_t>(product >> 32));
}

bool export_queue_work_on(int /*cpu*/, void* /*queue*/, WorkStruct* work) {
  return enqueue(work, 0);
}
bool export_queue_delayed_work_on(int /*cpu*/, void* /*queue*/, WorkStruct* work,
                                  unsigned long delay) {
  return enqueue(work, delay);
}
bool export_mod_delayed_work_on(int /*cpu*/, void* /*queue*/, WorkStruct* work,
                                unsigned long delay) {
  const bool was_pending = dequeue(work);
  enqueue(work, delay);
  return was_pending;
}
bool export_cancel_work(WorkStruct* work) {
  return dequeue(work);
}
/// Runs it now if it is pending.
bool export_flush_work(WorkStruct* work) {
  if (!dequeue(work)) return false;
  work->function(work);
  return true;
}
void export_flush_workqueue(void* /*queue*/) {
  host::run_pending_work();
}
void* export_alloc_workqueue(const char* /*format*/, unsigned /*flags*/, int /*max_active*/, ...) {
  return export_queue_object;
}
void export_destroy_workqueue(void* /*queue*/) {}
/// Its address is what INIT_DELAYED_WORK puts into a timer; our timers are the queue's own.
void export_delayed_work_timer_fn(void* /*timer*/) {}
void export_init_timer_key(void* /*timer*/, void (* /*function*/)(void*), unsigned /*flags*/,
                           const char* /*name*/, void* /*key*/) {}
}

namespace pkvmemu::host {

std::uint64_t slept_ns() {
  return slept;
}

void sleep_for_ns(std::uint64_t duration) {
  slept += duration;
  export_jiffies = slept / ns_per_jiffy;
}

void sleep_until_ns(std::uint64_t moment) {
  if (moment > slept) sleep_for_ns(moment - slept);
}

/// The item may be in memory of its own, and its function the module's.
void forget_work(const kmod::Module& module) {
  const auto is_of_module = [&](const WorkQueue::Item& item) {
    const auto* work = reinterpret_cast<const WorkStruct*>(item.work);
    return module.contains(KernVa{item.work}) ||
           module.contains(KernVa{reinterpret_cast<std::uint64_t>(work->function)});
  };
  while (const auto item = queue.take_first_if(is_of_module)) {
    auto* work = reinterpret_cast<WorkStruct*>(item->work);
    work->data &= ~pending_bit;
    printk(
        "workqueue: work %pS was still pending when module %.*s failed: taken off the queue (a "
        "kernel would call freed memory)\n",
        reinterpret_cast<const void*>(work->function), static_cast<int>(module.name().size()),
        module.name().data());
  }
}

bool run_one_work_item(std::uint64_t due_by) {
  const auto item = queue.take(due_by);
  if (item) run(*item);
  return item.has_value();
}

void run_pending_work() {
  const std::uint64_t horizon = slept + work_horizon_ns;
  for (unsigned done = 0; done < work_run_limit; ++done) {
    const auto item = queue.take(horizon);
    if (!item) break;
    run(*item);
  }
  if (queue.size() != 0)
    printk("workqueue: %llu items are left, due later or one too many\n",
           static_cast<unsigned long long>(queue.size()));
}

}  // namespace pkvmemu::host
