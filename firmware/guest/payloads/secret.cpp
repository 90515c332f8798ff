// SPDX-License-Identifier: GPL-2.0-only
// Keeps a secret in a page of its own, has the host read, execute and write that page, and looks
// whether the secret is still what it was.
#include <array>

#include "guest/guest.h"
#include "pkvm/vm.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace layout = pkvm::guest;

namespace {

constexpr std::uint64_t ret_instruction = 0xd65f'03c0;
/// Tests look for it in all of RAM after the guest is gone.
constexpr std::uint64_t secret_word = 0x5ec2'e700'5ec2'e700;

struct alignas(4096) Page {
  std::array<std::uint64_t, layout::shared_words> word;
};
constinit Page page{};

bool is_untouched() {
  for (std::uint64_t i = 1; i < layout::shared_words; ++i) {
    const volatile std::uint64_t& word = page.word[i];
    if (word != secret_word + i) return false;
  }
  return true;
}

}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  hvc(pkvm::guest_call::mmio_guard_map, layout::mailbox_ipa);
  // Whoever may execute the page comes back at once.
  page.word[0] = ret_instruction;
  for (std::uint64_t i = 1; i < layout::shared_words; ++i)
    page.word[i] = secret_word + i;
  asm volatile("dsb sy" ::: "memory");
  write_mmio(layout::intrusion_ipa, reinterpret_cast<std::uint64_t>(&page));
  print(is_untouched() ? "the secret is untouched\n" : "the host was here\n");
}
