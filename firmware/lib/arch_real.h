// SPDX-License-Identifier: GPL-2.0-only
// arch.h by instructions. Arm ARM C5.2 (system registers), C5.5 (TLB maintenance), B2.3 (barriers).
#pragma once

#include <cstddef>

#include "lib/arch.h"

namespace pkvmemu::arch {

// The registers that MMIO and page tables need are named in the instruction, so each accessor is
// its own specialisation.
// NOLINTBEGIN(cppcoreguidelines-macro-usage, bugprone-macro-parentheses)
#define PKVM_ACCESSORS(name)                                \
  template <>                                               \
  inline std::uint64_t read<Sysreg::name>() {               \
    std::uint64_t value = 0;                                \
    asm volatile("mrs %0, " #name : "=r"(value)::"memory"); \
    return value;                                           \
  }
PKVM_SYSTEM_REGISTERS(PKVM_ACCESSORS)
#undef PKVM_ACCESSORS

#define PKVM_WRITER(name)                                      \
  template <>                                                  \
  inline void write<Sysreg::name>(std::uint64_t value) {       \
    asm volatile("msr " #name ", %0" ::"r"(value) : "memory"); \
  }
PKVM_WRITER(elr_el2)
PKVM_WRITER(spsr_el2)
PKVM_WRITER(hpfar_el2)
PKVM_WRITER(hcr_el2)
PKVM_WRITER(mdcr_el2)
PKVM_WRITER(par_el1)
PKVM_WRITER(sctlr_el2)
PKVM_WRITER(tpidr_el2)
PKVM_WRITER(vttbr_el2)
PKVM_WRITER(vtcr_el2)
PKVM_WRITER(esr_el1)
PKVM_WRITER(far_el1)
PKVM_WRITER(elr_el1)
PKVM_WRITER(spsr_el1)
PKVM_WRITER(sctlr_el1)
PKVM_WRITER(cpacr_el1)
PKVM_WRITER(ttbr0_el1)
PKVM_WRITER(ttbr1_el1)
PKVM_WRITER(tcr_el1)
PKVM_WRITER(afsr0_el1)
PKVM_WRITER(afsr1_el1)
PKVM_WRITER(mair_el1)
PKVM_WRITER(amair_el1)
PKVM_WRITER(contextidr_el1)
PKVM_WRITER(tpidr_el0)
PKVM_WRITER(tpidrro_el0)
PKVM_WRITER(tpidr_el1)
PKVM_WRITER(cntkctl_el1)
PKVM_WRITER(mdscr_el1)
PKVM_WRITER(csselr_el1)
PKVM_WRITER(sp_el0)
PKVM_WRITER(sp_el1)
PKVM_WRITER(vbar_el1)
PKVM_WRITER(vmpidr_el2)
#undef PKVM_WRITER
// NOLINTEND(cppcoreguidelines-macro-usage, bugprone-macro-parentheses)

inline void dsb_ish() {
  asm volatile("dsb ish" ::: "memory");
}
inline void dsb_ishst() {
  asm volatile("dsb ishst" ::: "memory");
}
inline void isb() {
  asm volatile("isb" ::: "memory");
}

inline void tlbi_hyp_page(std::uint64_t va) {
  asm volatile("tlbi vae2is, %0" ::"r"((va >> 12) & 0xFFF'FFFF'FFFF) : "memory");
}
inline void tlbi_hyp_all() {
  asm volatile("tlbi alle2" ::: "memory");
}
inline void tlbi_vmid_all() {
  asm volatile("tlbi vmalls12e1is" ::: "memory");
}
inline void tlbi_all_vmids() {
  asm volatile("tlbi alle1is\n\tic ialluis" ::: "memory");
}

inline void flush_dcache(const void* begin, std::uint64_t size) {
  // CTR_EL0.DminLine is the log2 of the smallest line in words.
  const std::uint64_t line = std::uint64_t{4} << ((read<Sysreg::ctr_el0>() >> 16) & 0xF);
  const auto start = reinterpret_cast<std::uint64_t>(begin);
  for (std::uint64_t at = start & ~(line - 1); at < start + size; at += line)
    asm volatile("dc civac, %0" ::"r"(at) : "memory");
  asm volatile("dsb sy" ::: "memory");
}

inline std::uint64_t mapped_at(std::uint64_t va, std::uint64_t /*pa*/) {
  return va;
}

inline void forget_instructions() {
  asm volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::: "memory");
}

/// lib/smc.S: loads x0..x17 from `registers`, SMC #0, stores them back.
extern "C" void pkvm_smc(std::uint64_t* registers);
inline void smc(SmcRegisters& registers) {
  pkvm_smc(registers.data());
}

extern "C" const char hyp_cpu_resume;  // NOLINT(readability-identifier-naming): of hyp/init.S
inline const void* cpu_resume_code() {
  return &hyp_cpu_resume;
}

// hyp/vm/guest_entry.S and hyp/vectors.S.
extern "C" std::uint64_t hyp_enter_guest(unsigned long long* general);
extern "C" const char hyp_guest_vectors;  // NOLINT(readability-identifier-naming)
extern "C" const char hyp_host_vectors;   // NOLINT(readability-identifier-naming)
inline std::uint64_t enter_guest(unsigned long long* general) {
  return hyp_enter_guest(general);
}
// hyp/vm/world_registers.S.
static_assert(offsetof(WorldRegisters, fpcr) == 512 && offsetof(WorldRegisters, keys) == 528 &&
              offsetof(WorldRegisters, timers) == 608);
extern "C" void hyp_save_world(WorldRegisters* to);
extern "C" void hyp_restore_world(const WorldRegisters* from);
inline void save_world(WorldRegisters& to) {
  hyp_save_world(&to);
}
inline void restore_world(const WorldRegisters& from) {
  hyp_restore_world(&from);
}
inline void use_guest_vectors() {
  asm volatile("msr vbar_el2, %0\n\tisb" ::"r"(&hyp_guest_vectors) : "memory");
}
inline void use_host_vectors() {
  asm volatile("msr vbar_el2, %0\n\tisb" ::"r"(&hyp_host_vectors) : "memory");
}

inline void mask_serror() {
  asm volatile("msr daifset, #4" ::: "memory");
}
inline void unmask_serror() {
  asm volatile("msr daifclr, #4" ::: "memory");
}

inline void write_hfgwtr_el2(std::uint64_t value) {
  asm volatile("msr s3_4_c1_c1_5, %0" ::"r"(value) : "memory");
}

inline std::uint64_t translate_el1_read(std::uint64_t va) {
  const std::uint64_t saved = read<Sysreg::par_el1>();
  asm volatile("at s1e1r, %0\n\tisb" ::"r"(va) : "memory");
  const std::uint64_t par = read<Sysreg::par_el1>();
  write<Sysreg::par_el1>(saved);
  return par;
}

[[noreturn]] inline void bug() {
  asm volatile("brk #0x800");
  __builtin_unreachable();
}

[[noreturn]] inline void cfi_failure(std::uint64_t target, std::uint32_t expected) {
  register std::uint64_t target_register asm("x8") = target;
  register std::uint64_t type_register asm("x17") = expected;
  // BRK 0x8000 | type register << 5 | target register (pkvm-abi.md 1.8).
  asm volatile("brk #0x8228" ::"r"(target_register), "r"(type_register));
  __builtin_unreachable();
}

}  // namespace pkvmemu::arch
