// SPDX-License-Identifier: GPL-2.0-only
// Locks and completions for modules. One CPU, one thread, no interrupts: a lock that is taken is
// never given back by somebody else, so waiting for one is a deadlock of the module's, and told as
// such. Each lock's state is real and lies in the first word of its structure, as the kernel has
// it.
#include <cstdint>

#include "host/panic.h"
#include "host/time.h"

namespace host = pkvmemu::host;

namespace {

constexpr std::uint32_t all_done = 0x7fff'ffff;

struct Mutex {
  std::uint64_t owner;  ///< 0: free
};
struct SpinLock {
  std::uint32_t locked;
};
struct Completion {
  std::uint32_t done;
};
/// struct rw_semaphore: who writes has bit 0, who reads counts in the bits above the flags.
struct RwSemaphore {
  std::uint64_t count;
};
constexpr std::uint64_t writer = 1;
constexpr std::uint64_t reader = 0x100;
/// rwlock_t: who writes has the low byte, who reads counts in the bits above.
struct RwLock {
  std::uint32_t count;
};
constexpr std::uint32_t lock_writer = 0xff;
constexpr std::uint32_t lock_reader = 0x200;
/// struct semaphore.
struct Semaphore {
  std::uint32_t lock;
  std::uint32_t count;
};

[[noreturn]] void deadlock(const char* what, const void* caller) {
  host::panic("%s at %pS: it is held already, and nobody else runs", what, caller);
}

void take(SpinLock* lock, const void* caller) {
  if (lock->locked != 0) deadlock("spin_lock", caller);
  lock->locked = 1;
}

constexpr std::uint64_t no_due_limit = ~std::uint64_t{0};

/// Runs what is pending until somebody completes it. False when nothing is left that could.
bool wait_until_done(Completion* completion) {
  while (completion->done == 0)
    if (!host::run_one_work_item(no_due_limit)) return false;
  if (completion->done != all_done) --completion->done;
  return true;
}

void take_for_reading(RwSemaphore* semaphore, const char* what, const void* caller) {
  if ((semaphore->count & writer) != 0) deadlock(what, caller);
  semaphore->count += reader;
}
void take_for_writing(RwSemaphore* semaphore, const char* what, const void* caller) {
  if (semaphore->count != 0) deadlock(what, caller);
  semaphore->count = writer;
}

void take_for_reading(RwLock* lock, const void* caller) {
  if ((lock->count & lock_writer) != 0) deadlock("read_lock", caller);
  lock->count += lock_reader;
}
void take_for_writing(RwLock* lock, const void* caller) {
  if (lock->count != 0) deadlock("write_lock", caller);
  lock->count = lock_writer;
}

/// Work that is pending may give one back.
bool take_one(Semaphore* semaphore) {
  while (semaphore->count == 0)
    if (!host::run_one_work_item(no_due_limit)) return false;
  --semaphore->count;
  return true;
}

}  // namespace

extern "C" {

void export_mutex_init(Mutex* mutex, const char* /*name*/, void* /*key*/) {
  *mutex = {};
}
void export_mutex_lock(Mutex* mutex) {
  if (mutex->owner != 0) deadlock("mutex_lock", __builtin_return_address(0));
  mutex->owner = 1;
}
int export_mutex_lock_interruptible(Mutex* mutex) {
  if (mutex->owner != 0) deadlock("mutex_lock_interruptible", __builtin_return_address(0));
  mutex->owner = 1;
  return 0;
}
int export_mutex_trylock(Mutex* mutex) {
  if (mutex->owner != 0) return 0;
  mutex->owner = 1;
  return 1;
}
bool export_mutex_is_locked(Mutex* mutex) {
  return mutex->owner != 0;
}
void export_mutex_unlock(Mutex* mutex) {
  mutex->owner = 0;
}

void export_spin_lock(SpinLock* lock) {
  take(lock, __builtin_return_address(0));
}
/// The state to restore; interrupts are always off here.
unsigned long export_spin_lock_irqsave(SpinLock* lock) {
  take(lock, __builtin_return_address(0));
  return 0;
}
int export_spin_trylock(SpinLock* lock) {
  if (lock->locked != 0) return 0;
  lock->locked = 1;
  return 1;
}
void export_spin_unlock(SpinLock* lock) {
  lock->locked = 0;
}
void export_spin_unlock_irqrestore(SpinLock* lock, unsigned long /*flags*/) {
  lock->locked = 0;
}

void export_read_lock(RwLock* lock) {
  take_for_reading(lock, __builtin_return_address(0));
}
unsigned long export_read_lock_irqsave(RwLock* lock) {
  take_for_reading(lock, __builtin_return_address(0));
  return 0;
}
int export_read_trylock(RwLock* lock) {
  if ((lock->count & lock_writer) != 0) return 0;
  lock->count += lock_reader;
  return 1;
}
/// Also with the state to restore behind.
void export_read_unlock(RwLock* lock) {
  lock->count -= lock_reader;
}
void export_write_lock(RwLock* lock) {
  take_for_writing(lock, __builtin_return_address(0));
}
unsigned long export_write_lock_irqsave(RwLock* lock) {
  take_for_writing(lock, __builtin_return_address(0));
  return 0;
}
int export_write_trylock(RwLock* lock) {
  if (lock->count != 0) return 0;
  lock->count = lock_writer;
  return 1;
}
void export_write_unlock(RwLock* lock) {
  lock->count = 0;
}

void export_init_rwsem(RwSemaphore* semaphore, const char* /*name*/, void* /*key*/) {
  *semaphore = {};
}
void export_down_read(RwSemaphore* semaphore) {
  take_for_reading(semaphore, "down_read", __builtin_return_address(0));
}
int export_down_read_interruptible(RwSemaphore* semaphore) {
  take_for_reading(semaphore, "down_read_interruptible", __builtin_return_address(0));
  return 0;
}
int export_down_read_trylock(RwSemaphore* semaphore) {
  if ((semaphore->count & writer) != 0) return 0;
  semaphore->count += reader;
  return 1;
}
void export_up_read(RwSemaphore* semaphore) {
  semaphore->count -= reader;
}
void export_down_write(RwSemaphore* semaphore) {
  take_for_writing(semaphore, "down_write", __builtin_return_address(0));
}
int export_down_write_killable(RwSemaphore* semaphore) {
  take_for_writing(semaphore, "down_write_killable", __builtin_return_address(0));
  return 0;
}
int export_down_write_trylock(RwSemaphore* semaphore) {
  if (semaphore->count != 0) return 0;
  semaphore->count = writer;
  return 1;
}
void export_up_write(RwSemaphore* semaphore) {
  semaphore->count -= writer;
}
void export_downgrade_write(RwSemaphore* semaphore) {
  semaphore->count = reader;
}

void export_down(Semaphore* semaphore) {
  if (!take_one(semaphore)) deadlock("down", __builtin_return_address(0));
}
int export_down_interruptible(Semaphore* semaphore) {
  if (!take_one(semaphore)) deadlock("down_interruptible", __builtin_return_address(0));
  return 0;
}
/// 1 when there is none to take.
int export_down_trylock(Semaphore* semaphore) {
  if (semaphore->count == 0) return 1;
  --semaphore->count;
  return 0;
}
void export_up(Semaphore* semaphore) {
  ++semaphore->count;
}

/// init_completion() is inline and calls this for the wait queue behind the count.
void export_init_swait_queue_head(void* /*head*/, const char* /*name*/, void* /*key*/) {}
void export_complete(Completion* completion) {
  if (completion->done != all_done) ++completion->done;
}
void export_complete_all(Completion* completion) {
  completion->done = all_done;
}
void export_wait_for_completion(Completion* completion) {
  if (!wait_until_done(completion))
    host::panic("wait_for_completion at %pS: nothing is left that could complete it",
                __builtin_return_address(0));
}
/// No signal ever interrupts it.
int export_wait_for_completion_interruptible(Completion* completion) {
  if (!wait_until_done(completion))
    host::panic("wait_for_completion_interruptible at %pS: nothing is left that could complete it",
                __builtin_return_address(0));
  return 0;
}
/// The jiffies left, or 0 when it was not completed.
unsigned long export_wait_for_completion_timeout(Completion* completion, unsigned long timeout) {
  if (!wait_until_done(completion)) return 0;
  return timeout == 0 ? 1 : timeout;
}
bool export_try_wait_for_completion(Completion* completion) {
  if (completion->done == 0) return false;
  if (completion->done != all_done) --completion->done;
  return true;
}
bool export_completion_done(Completion* completion) {
  return completion->done != 0;
}
}
