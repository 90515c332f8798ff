// SPDX-License-Identifier: GPL-2.0-only
// The kernel's end of a hypervisor panic (pkvm-abi.md 8.5): says where EL2 was, in terms of the
// code that people know, and panics.
#include "host/console.h"
#include "host/kernel.h"
#include "host/kvm.h"
#include "host/panic.h"
#include "host/sections.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

using Word = unsigned long long;  // what %llx takes

// Arm ARM D17.2.37 and pkvm-abi.md 8.5.
constexpr std::uint64_t ec_brk = 0x3c;
constexpr std::uint64_t brk_bug = 0x800;
constexpr std::uint64_t brk_cfi_base = 0x8000;
constexpr std::uint64_t brk_cfi_mask = 0x3ff;

/// The kernel's address of the code that runs at `elr` in the hypervisor.
std::uint64_t kernel_address(HypVa elr) {
  if (const kmod::Module* module = loader().module_with(elr))
    return module->hyp.kernel_address(elr).value;
  if (const auto offset = kvm().image_offset(elr))
    return reinterpret_cast<std::uint64_t>(hyp_image_begin) + *offset;
  return elr.value;
}

const char* headline(std::uint64_t esr, std::uint64_t spsr) {
  constexpr std::uint64_t mode_el2 = 8;
  const std::uint64_t immediate = bits(esr, 15, 0);
  if ((spsr & 0xc) != mode_el2) return "Invalid host exception to nVHE hyp";
  if (bits(esr, 31, 26) != ec_brk) return "nVHE hyp panic at";
  if (immediate == brk_bug) return "nVHE hyp BUG at";
  if ((immediate & ~brk_cfi_mask) == brk_cfi_base) return "nVHE hyp CFI failure at";
  return "nVHE hyp panic at";
}

void print_module_code(const char* what, std::uint64_t where) {
  printk("%s: [<%016llx>] %pS\n", what, static_cast<Word>(where), reinterpret_cast<void*>(where));
  // Its bug table covers EL2 code as well (pkvm-abi.md 2.6).
  if (const auto bug = find_module_bug(where))
    printk("  %.*s:%u\n", static_cast<int>(bug->file.size()), bug->file.data(), bug->site.line);
}

}  // namespace

void nvhe_hyp_panic_handler(std::uint64_t esr, std::uint64_t spsr, std::uint64_t elr,
                            std::uint64_t /*elr_pa*/, std::uint64_t par, std::uint64_t vcpu,
                            std::uint64_t far, std::uint64_t hpfar) {
  const std::uint64_t where = kernel_address(HypVa{elr});
  // Code of our own image is shown by its place in it, whatever else the kernel holds.
  if (const auto offset = kvm().image_offset(HypVa{elr}))
    printk("%s: [<%016llx>] hyp+0x%llx\n", headline(esr, spsr), static_cast<Word>(where),
           static_cast<Word>(*offset));
  else
    print_module_code(headline(esr, spsr), where);
  printk("Hyp Offset: 0x%llx\n", static_cast<Word>(where - elr));
  panic(
      "HYP panic:\nPS:%08llx PC:%016llx ESR:%016llx\nFAR:%016llx HPFAR:%016llx PAR:%016llx\n"
      "VCPU:%016llx",
      static_cast<Word>(spsr), static_cast<Word>(elr), static_cast<Word>(esr),
      static_cast<Word>(far), static_cast<Word>(hpfar), static_cast<Word>(par),
      static_cast<Word>(vcpu));
}

}  // namespace pkvmemu::host
