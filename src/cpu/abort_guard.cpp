// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/abort_guard.h"

#include <setjmp.h>
#include <signal.h>

namespace pkvmemu::cpu {
namespace {

/// Where abort() goes on this thread; none outside of a guard.
thread_local sigjmp_buf* way_out = nullptr;

struct sigaction previous_action;

void on_abort(int signal) {
  if (way_out != nullptr) siglongjmp(*way_out, 1);
  // Not ours: what would have happened without us. abort() comes back for the default action.
  ::sigaction(signal, &previous_action, nullptr);
  ::raise(signal);
}

bool install_handler() {
  struct sigaction action{};
  action.sa_handler = on_abort;
  ::sigemptyset(&action.sa_mask);
  return ::sigaction(SIGABRT, &action, &previous_action) == 0;
}

}  // namespace

bool survives_abort(void (*body)(void*) noexcept, void* argument) {
  [[maybe_unused]] static const bool installed = install_handler();
  sigjmp_buf here;
  sigjmp_buf* const outer = way_out;
  // Saving the signal mask costs a system call, and leaving the handler must restore it.
  if (sigsetjmp(here, 1) != 0) {
    way_out = outer;
    return false;
  }
  way_out = &here;
  body(argument);
  way_out = outer;
  return true;
}

}  // namespace pkvmemu::cpu
