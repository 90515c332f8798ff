// SPDX-License-Identifier: GPL-2.0-only
// Notifier chains of all four kinds, called by who owns them. Nobody else runs, so that none takes
// its lock; a round that changes the chain sees what a kernel's does: the next one is read before
// each call.
#include <array>
#include <cstddef>
#include <cstdint>

#include "pkvm/errno.h"

using pkvm::Errno;
using pkvm::negated;

namespace {

/// struct notifier_block.
struct Notifier {
  int (*call)(Notifier* self, unsigned long action, void* data);
  Notifier* next;
  int priority;
};

enum class Twice : std::uint8_t { refused, allowed };

/// Before the first of a lower priority.
int add_notifier(Notifier** head, Notifier* added, Twice same_priority = Twice::allowed) {
  for (; *head != nullptr && (*head)->priority >= added->priority; head = &(*head)->next) {
    if (*head == added) return negated(Errno::eexist);
    if (same_priority == Twice::refused && (*head)->priority == added->priority)
      return negated(Errno::ebusy);
  }
  added->next = *head;
  *head = added;
  return 0;
}
int remove_notifier(Notifier** head, Notifier* gone) {
  for (; *head != nullptr; head = &(*head)->next) {
    if (*head != gone) continue;
    *head = gone->next;
    return 0;
  }
  return negated(Errno::enoent);
}
/// NOTIFY_STOP_MASK in an answer ends the round.
int call_notifiers(Notifier* head, unsigned long action, void* data) {
  constexpr int stop = 0x8000;
  int answer = 0;
  for (Notifier* next = nullptr; head != nullptr && (answer & stop) == 0; head = next) {
    next = head->next;
    answer = head->call(head, action, data);
  }
  return answer;
}

/// struct atomic_notifier_head; a raw one is just the pointer.
struct AtomicHead {
  std::uint32_t lock;
  Notifier* head;
};

/// struct blocking_notifier_head: GKI builds struct rw_semaphore with 24 bytes for vendors.
struct BlockingHead {
  std::array<std::uint64_t, 8> semaphore;
  Notifier* head;
};
static_assert(offsetof(BlockingHead, head) == 64);

/// struct srcu_notifier_head, whose size differs with each generation's struct srcu_struct. It
/// starts with a mutex that is the chain's own, and nobody takes it here: its first word, 0 in a
/// new one, is where the chain hangs.
struct SrcuHead {
  Notifier* head;
};

}  // namespace

extern "C" {

int export_raw_notifier_register(Notifier** head, Notifier* added) {
  return add_notifier(head, added);
}
int export_raw_notifier_unregister(Notifier** head, Notifier* gone) {
  return remove_notifier(head, gone);
}
int export_raw_notifier_call(Notifier** head, unsigned long action, void* data) {
  return call_notifiers(*head, action, data);
}

int export_atomic_notifier_register(AtomicHead* chain, Notifier* added) {
  return add_notifier(&chain->head, added);
}
int export_atomic_notifier_register_unique(AtomicHead* chain, Notifier* added) {
  return add_notifier(&chain->head, added, Twice::refused);
}
int export_atomic_notifier_unregister(AtomicHead* chain, Notifier* gone) {
  return remove_notifier(&chain->head, gone);
}
int export_atomic_notifier_call(AtomicHead* chain, unsigned long action, void* data) {
  return call_notifiers(chain->head, action, data);
}

int export_blocking_notifier_register(BlockingHead* chain, Notifier* added) {
  return add_notifier(&chain->head, added);
}
int export_blocking_notifier_register_unique(BlockingHead* chain, Notifier* added) {
  return add_notifier(&chain->head, added, Twice::refused);
}
int export_blocking_notifier_unregister(BlockingHead* chain, Notifier* gone) {
  return remove_notifier(&chain->head, gone);
}
int export_blocking_notifier_call(BlockingHead* chain, unsigned long action, void* data) {
  return call_notifiers(chain->head, action, data);
}

void export_srcu_notifier_init(SrcuHead* chain) {
  chain->head = nullptr;
}
int export_srcu_notifier_register(SrcuHead* chain, Notifier* added) {
  return add_notifier(&chain->head, added);
}
int export_srcu_notifier_unregister(SrcuHead* chain, Notifier* gone) {
  return remove_notifier(&chain->head, gone);
}
int export_srcu_notifier_call(SrcuHead* chain, unsigned long action, void* data) {
  return call_notifiers(chain->head, action, data);
}

/// Modules hang themselves on it; our panics do not call them.
AtomicHead export_panic_notifiers = {};
}
