// SPDX-License-Identifier: GPL-2.0-only
#include "hyp_window.h"

#include <sys/mman.h>

#include "support/bits.h"
#include "world.h"

namespace pkvmemu::hyp::test {

namespace {

const Backing* backing = nullptr;
struct sigaction* otherwise = nullptr;

bool is_in_window(std::uint64_t address) {
  const std::uint64_t begin = hypervisor().space->layout().heap.value;
  return address >= begin && address - begin < Layout::heap_size;
}

bool show_page(std::uint64_t address) {
  if (backing == nullptr || !is_in_window(address)) return false;
  const std::uint64_t page = align_down(address, page_size);
  const Leaf leaf = hypervisor().space->table().leaf(page);
  if (!is_valid(leaf.descriptor)) return false;
  backing->show(page, address_of(leaf.descriptor) - ram_begin);
  return true;
}

/// What is not the window's faults again, as it would have without us.
void on_fault(int signal, siginfo_t* info, void* /*context*/) {
  if (!show_page(reinterpret_cast<std::uint64_t>(info->si_addr)))
    sigaction(signal, otherwise, nullptr);
}

}  // namespace

HypWindow::HypWindow(const Backing& memory) {
  backing = &memory;
  otherwise = &before_;
  struct sigaction action{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &before_);
}

HypWindow::~HypWindow() {
  sigaction(SIGSEGV, &before_, nullptr);
  backing = nullptr;
  const Layout& layout = hypervisor().space->layout();
  if (layout.heap != HypVa{0})
    munmap(reinterpret_cast<void*>(layout.heap.value), Layout::heap_size);
}

}  // namespace pkvmemu::hyp::test
