// SPDX-License-Identifier: GPL-2.0-only
// Wait queues and the scheduler's entry points. There is one task: to sleep is to run what is
// pending until some of it wakes the task, and where nothing is left that could, a kernel would
// sleep for ever, which is told. A sleep with a time-out ends when its time has passed on the clock
// of sleeps (host/time.h).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "host/panic.h"
#include "host/sections.h"
#include "host/time.h"
#include "pkvm/task.h"

namespace host = pkvmemu::host;

namespace {

struct ListHead {
  ListHead* next;
  ListHead* previous;
};

/// struct wait_queue_head.
struct WaitQueue {
  std::uint32_t lock;
  ListHead entries;
};
static_assert(offsetof(WaitQueue, entries) == 8);

/// struct wait_queue_entry.
struct WaitEntry {
  std::uint32_t flags;
  void* task;
  int (*wake)(WaitEntry* entry, unsigned mode, int flags, void* key);
  ListHead link;
};
static_assert(offsetof(WaitEntry, link) == 24);

constexpr std::uint32_t exclusive = 0x01;
constexpr std::uint32_t woken = 0x02;

constexpr std::uint32_t running = 0;
constexpr std::uint32_t interruptible = 1;
constexpr std::uint32_t uninterruptible = 2;
constexpr std::uint32_t killable = 0x102;
constexpr std::uint32_t normal = interruptible | uninterruptible;

constexpr long no_timeout = std::numeric_limits<long>::max();
constexpr std::uint64_t no_due_limit = ~std::uint64_t{0};

/// Inlines of modules write it as well (set_current_state).
volatile std::uint32_t& task_state() {
  return *reinterpret_cast<std::uint32_t*>(task_struct + pkvm::task::state_offset);
}
bool is_ours(const void* task) {
  return task == task_struct;
}

/// Whether the one task slept in one of these states, and does no more.
bool wake(const void* task, std::uint32_t states) {
  if (!is_ours(task) || (task_state() & states) == 0) return false;
  task_state() = running;
  return true;
}

bool is_queued(const WaitEntry& entry) {
  return entry.link.next != &entry.link && entry.link.next != nullptr;
}
void insert_behind(ListHead& before, WaitEntry& entry) {
  entry.link = {.next = before.next, .previous = &before};
  before.next->previous = &entry.link;
  before.next = &entry.link;
}
void take_off(WaitEntry& entry) {
  entry.link.previous->next = entry.link.next;
  entry.link.next->previous = entry.link.previous;
  entry.link = {.next = &entry.link, .previous = &entry.link};
}
WaitEntry* entry_of(ListHead* link) {
  return reinterpret_cast<WaitEntry*>(reinterpret_cast<std::byte*>(link) -
                                      offsetof(WaitEntry, link));
}

/// Those that are not exclusive, and as many of the others; `count` 0: all.
void wake_queue(WaitQueue& queue, std::uint32_t mode, int count, void* key) {
  for (ListHead *link = queue.entries.next, *next = nullptr; link != &queue.entries; link = next) {
    next = link->next;
    WaitEntry* entry = entry_of(link);
    const bool one_of_many = (entry->flags & exclusive) != 0;
    const int answer = entry->wake(entry, mode, 0, key);
    if (answer < 0) return;
    if (answer > 0 && one_of_many && --count == 0) return;
  }
}

void prepare(WaitQueue& queue, WaitEntry& entry, std::uint32_t state) {
  if (!is_queued(entry))
    insert_behind((entry.flags & exclusive) != 0 ? *queue.entries.previous : queue.entries, entry);
  task_state() = state;
}

/// Until somebody wakes the task. A running one gives way to what is due now.
void sleep_for_ever(const void* caller) {
  if (task_state() == running) host::run_one_work_item(host::slept_ns());
  while (task_state() != running)
    if (!host::run_one_work_item(no_due_limit))
      host::panic("schedule at %pS: nothing is left that could wake the task", caller);
}

/// The jiffies left when somebody woke the task; 0 when the time has passed.
long sleep_at_most(long jiffies) {
  jiffies = std::max(jiffies, 0L);
  const std::uint64_t end =
      host::slept_ns() + static_cast<std::uint64_t>(jiffies) * host::ns_per_jiffy;
  while (task_state() != running) {
    if (host::run_one_work_item(end)) continue;
    host::sleep_until_ns(end);
    task_state() = running;
  }
  if (host::slept_ns() >= end) return 0;
  return static_cast<long>((end - host::slept_ns()) / host::ns_per_jiffy);
}

long sleep_in(std::uint32_t state, long jiffies, const void* caller) {
  task_state() = state;
  if (jiffies != no_timeout) return sleep_at_most(jiffies);
  sleep_for_ever(caller);
  return no_timeout;
}

}  // namespace

extern "C" {

void export_schedule() {
  sleep_for_ever(__builtin_return_address(0));
}
long export_schedule_timeout(long jiffies) {
  return sleep_in(task_state(), jiffies, __builtin_return_address(0));
}
long export_schedule_timeout_interruptible(long jiffies) {
  return sleep_in(interruptible, jiffies, __builtin_return_address(0));
}
long export_schedule_timeout_uninterruptible(long jiffies) {
  return sleep_in(uninterruptible, jiffies, __builtin_return_address(0));
}
long export_schedule_timeout_killable(long jiffies) {
  return sleep_in(killable, jiffies, __builtin_return_address(0));
}
void export_yield() {
  task_state() = running;
  host::run_one_work_item(host::slept_ns());
}
/// Nothing waits for the CPU.
int export_cond_resched() {
  return 0;
}
/// Threads of modules are objects that never run.
int export_wake_up_process(const void* task) {
  return wake(task, normal) ? 1 : 0;
}

void export_init_waitqueue_head(WaitQueue* queue, const char* /*name*/, void* /*key*/) {
  *queue = {.lock = 0, .entries = {.next = &queue->entries, .previous = &queue->entries}};
}
int export_default_wake_function(const WaitEntry* entry, unsigned mode, int /*flags*/,
                                 void* /*key*/) {
  return wake(entry->task, mode) ? 1 : 0;
}
int export_autoremove_wake_function(WaitEntry* entry, unsigned mode, int flags, void* key) {
  const int answer = export_default_wake_function(entry, mode, flags, key);
  if (answer != 0) take_off(*entry);
  return answer;
}
int export_woken_wake_function(WaitEntry* entry, unsigned mode, int flags, void* key) {
  entry->flags |= woken;
  return export_default_wake_function(entry, mode, flags, key);
}
void export_init_wait_entry(WaitEntry* entry, int flags) {
  *entry = {.flags = static_cast<std::uint32_t>(flags),
            .task = task_struct,
            .wake = export_autoremove_wake_function,
            .link = {.next = &entry->link, .previous = &entry->link}};
}

void export_add_wait_queue(WaitQueue* queue, WaitEntry* entry) {
  entry->flags &= ~exclusive;
  insert_behind(queue->entries, *entry);
}
void export_add_wait_queue_exclusive(WaitQueue* queue, WaitEntry* entry) {
  entry->flags |= exclusive;
  insert_behind(*queue->entries.previous, *entry);
}
void export_remove_wait_queue(WaitQueue* /*queue*/, WaitEntry* entry) {
  take_off(*entry);
}
void export_prepare_to_wait(WaitQueue* queue, WaitEntry* entry, int state) {
  entry->flags &= ~exclusive;
  prepare(*queue, *entry, static_cast<std::uint32_t>(state));
}
/// Whether it is the first one.
bool export_prepare_to_wait_exclusive(WaitQueue* queue, WaitEntry* entry, int state) {
  const bool first = queue->entries.next == &queue->entries;
  entry->flags |= exclusive;
  prepare(*queue, *entry, static_cast<std::uint32_t>(state));
  return first;
}
/// No signal is ever pending.
long export_prepare_to_wait_event(WaitQueue* queue, WaitEntry* entry, int state) {
  prepare(*queue, *entry, static_cast<std::uint32_t>(state));
  return 0;
}
void export_finish_wait(WaitQueue* /*queue*/, WaitEntry* entry) {
  task_state() = running;
  if (is_queued(*entry)) take_off(*entry);
}
long export_wait_woken(WaitEntry* entry, unsigned mode, long jiffies) {
  long left = jiffies;
  if ((entry->flags & woken) == 0) left = sleep_in(mode, jiffies, __builtin_return_address(0));
  task_state() = running;
  entry->flags &= ~woken;
  return left;
}

int export_wake_up(WaitQueue* queue, unsigned mode, int count, void* key) {
  wake_queue(*queue, mode, count, key);
  return 0;
}
void export_wake_up_sync(WaitQueue* queue, unsigned mode) {
  wake_queue(*queue, mode, 1, nullptr);
}
void export_wake_up_sync_key(WaitQueue* queue, unsigned mode, void* key) {
  wake_queue(*queue, mode, 1, key);
}
void export_wake_up_locked(WaitQueue* queue, unsigned mode, int count) {
  wake_queue(*queue, mode, count, nullptr);
}
}
