// SPDX-License-Identifier: GPL-2.0-only
// Notifier chains of all four kinds, called by who owns them. Nobody else runs, so that none takes
// its lock; a round that changes the chain sees what a kernel's does: the next one is read before
// each call.
#include <array>
#include <cstddef>
#include <cstdint>

#include "host/console.h"
#include "host/kernel.h"
#include "host/left_behind.h"
#include "host/records.h"
#include "host/sections.h"
#include "pkvm/errno.h"
#include "support/address.h"

namespace host = pkvmemu::host;
namespace kmod = pkvmemu::kmod;
using pkvm::Errno;
using pkvm::negated;
using pkvmemu::KernVa;

namespace {

/// struct notifier_block.
struct Notifier {
  int (*call)(Notifier* self, unsigned long action, void* data);
  Notifier* next;
  int priority;
};

/// Of a chain that outlives who hangs himself on it.
struct Chain {
  Chain* next;
  Notifier** head;
};
constinit Chain* chains = nullptr;

std::uint64_t address_of(const void* what) {
  return reinterpret_cast<std::uint64_t>(what);
}
/// Where a chain's head lies tells whose it is; one in memory of its own may go at any time.
bool is_lasting(Notifier** head) {
  const std::uint64_t at = address_of(static_cast<const void*>(head));
  return (at >= address_of(image_begin) && at < address_of(image_end)) ||
         host::loader().module_at(KernVa{at}) != nullptr;
}
/// Without memory it is not known, and what a failing module leaves there is not found.
void note_chain(Notifier** head) {
  for (const Chain* known = chains; known != nullptr; known = known->next)
    if (known->head == head) return;
  if (!is_lasting(head)) return;
  auto* noted = static_cast<Chain*>(host::take_record(sizeof(Chain)));
  if (noted == nullptr) return;
  *noted = {.next = chains, .head = head};
  chains = noted;
}

bool is_of(const kmod::Module& module, const Notifier* notifier) {
  return module.contains(KernVa{address_of(notifier)}) ||
         module.contains(KernVa{address_of(reinterpret_cast<const void*>(notifier->call))});
}
void take_off(Notifier** head, const kmod::Module& module) {
  while (*head != nullptr) {
    Notifier* notifier = *head;
    if (!is_of(module, notifier)) {
      head = &notifier->next;
      continue;
    }
    *head = notifier->next;
    host::printk(
        "notifier %pS was still on a chain when module %.*s failed: taken off (a kernel would call "
        "freed memory)\n",
        reinterpret_cast<const void*>(notifier->call), static_cast<int>(module.name().size()),
        module.name().data());
  }
}

enum class Twice : std::uint8_t { refused, allowed };

/// Before the first of a lower priority.
int add_notifier(Notifier** head, Notifier* added, Twice same_priority = Twice::allowed) {
  note_chain(head);
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

namespace pkvmemu::host {

void forget_notifiers(const kmod::Module& module) {
  for (Chain** at = &chains; *at != nullptr;) {
    Chain* chain = *at;
    if (!module.contains(KernVa{address_of(static_cast<const void*>(chain->head))})) {
      take_off(chain->head, module);
      at = &chain->next;
      continue;
    }
    *at = chain->next;
    release_record(chain);
  }
}

}  // namespace pkvmemu::host

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
