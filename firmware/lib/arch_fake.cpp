// SPDX-License-Identifier: GPL-2.0-only
#include "lib/arch_fake.h"

#include <cstdio>
#include <cstdlib>

namespace pkvmemu::arch {

namespace fake {

State& state() {
  static State the_state;
  return the_state;
}

void reset() {
  state() = State{};
}

}  // namespace fake

void dsb_ish() {
  ++fake::state().barriers;
}
void dsb_ishst() {
  ++fake::state().barriers;
}
void isb() {}
void tlbi_hyp_page(std::uint64_t /*va*/) {
  ++fake::state().hyp_page_flushes;
}
void tlbi_hyp_all() {
  ++fake::state().hyp_full_flushes;
}
void tlbi_vmid_all() {
  ++fake::state().vmid_flushes;
}
void tlbi_all_vmids() {
  ++fake::state().vmid_flushes;
}
void flush_dcache(const void* /*begin*/, std::uint64_t /*size*/) {}

std::uint64_t mapped_at(std::uint64_t va, std::uint64_t pa) {
  return fake::state().reach != nullptr ? fake::state().reach(pa) : va;
}

void forget_instructions() {}

void smc(SmcRegisters& registers) {
  fake::state().last_smc = registers;
  ++fake::state().smc_count;
  if (fake::state().monitor != nullptr)
    fake::state().monitor(registers);
  else
    registers[0] = ~std::uint64_t{0};
}

void mask_serror() {
  fake::state().serror_masked = true;
}
void unmask_serror() {
  fake::state().serror_masked = false;
}
void write_hfgwtr_el2(std::uint64_t value) {
  fake::state().hfgwtr_el2 = value;
}

std::uint64_t translate_el1_read(std::uint64_t /*va*/) {
  return fake::state().par;
}

const void* cpu_resume_code() {
  static constexpr char code = 0;
  return &code;
}

std::uint64_t enter_guest(unsigned long long* general) {
  constexpr std::uint64_t interrupted = 0;
  return fake::state().guest != nullptr ? fake::state().guest(general) : interrupted;
}
void save_world(WorldRegisters& to) {
  to = fake::state().world;
}
void restore_world(const WorldRegisters& from) {
  fake::state().world = from;
}
void use_guest_vectors() {
  fake::state().guest_vectors = true;
}
void use_host_vectors() {
  fake::state().guest_vectors = false;
}

void bug() {
  std::fputs("hyp BUG\n", stderr);
  std::abort();
}

void cfi_failure(std::uint64_t /*target*/, std::uint32_t expected) {
  std::fprintf(stderr, "hyp CFI failure: expected %08x\n", expected);
  std::abort();
}

}  // namespace pkvmemu::arch
