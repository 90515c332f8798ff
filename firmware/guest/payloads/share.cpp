// SPDX-License-Identifier: GPL-2.0-only
// Shares a page with the host, exchanges data through it, and takes it back.
#include <array>

#include "guest/guest.h"
#include "pkvm/vm.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace layout = pkvm::guest;

namespace {

struct alignas(4096) Page {
  std::array<std::uint64_t, layout::shared_words> word;
};
constinit Page page{};

std::uint64_t question(std::uint64_t i) {
  return (i + 1) * 0x9E37'79B9'7F4A'7C15;
}

bool is_answered() {
  for (std::uint64_t i = 0; i < layout::shared_words; ++i) {
    const volatile std::uint64_t& word = page.word[i];
    if (word != ~question(i)) return false;
  }
  return true;
}

void say(std::string_view what, std::uint64_t answer) {
  print(what);
  print(answer == 0 ? ": 0\n" : ": refused\n");
}

}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  hvc(pkvm::guest_call::mmio_guard_map, layout::mailbox_ipa);
  for (std::uint64_t i = 0; i < layout::shared_words; ++i)
    page.word[i] = question(i);
  const auto address = reinterpret_cast<std::uint64_t>(&page);
  say("share", hvc(pkvm::guest_call::mem_share, address)[0]);
  asm volatile("dsb sy" ::: "memory");
  write_mmio(layout::mailbox_ipa, address);
  print(is_answered() ? "the host answered in the shared page\n" : "no answer\n");
  say("share again", hvc(pkvm::guest_call::mem_share, address)[0]);
  say("unshare", hvc(pkvm::guest_call::mem_unshare, address)[0]);
  say("unshare again", hvc(pkvm::guest_call::mem_unshare, address)[0]);
  // What the host cannot reach it cannot answer in.
  for (std::uint64_t i = 0; i < layout::shared_words; ++i)
    page.word[i] = question(i);
  asm volatile("dsb sy" ::: "memory");
  write_mmio(layout::mailbox_ipa, address);
  print(is_answered() ? "the host still reaches the page\n" : "the host does not reach the page\n");
}
