// SPDX-License-Identifier: GPL-2.0-only
// Events: how guest code tells the machine what happened, so that reports need not parse text.
//
// One page of MMIO (platform.h) with a single 32-bit doorbell, and two rings of fixed-size records
// in RAM: EL2's, which the host cannot reach once deprivileged, and the host's. A producer fills
// record `produced % capacity`, makes it visible (dmb), adds 1 to `produced`, and writes the ring's
// bit to the doorbell; the machine drains the ring before the store retires, stamping each record
// with the instruction count. The port only reports: nothing that the guest writes commands the
// machine, and the machine trusts neither ring's header (it bounds everything by its own numbers).
// Without the devicetree node (QEMU) guest code stays silent.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pkvm::event {

inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t ring_magic = 0x676e'5245;  // "ERng"

inline constexpr std::uint64_t doorbell_offset = 0;
inline constexpr std::uint32_t doorbell_hyp = 1;
inline constexpr std::uint32_t doorbell_host = 2;

/// What a record reports. Numbers never change meaning; new kinds are added at the end.
/// `v[n]` are Record::value, `name` and `text` its strings.
enum class Kind : std::uint32_t {
  none = 0,

  // From EL2.
  /// The hypervisor runs on its own tables. v0 generation, v1 first module VA.
  hyp_ready = 1,
  /// A dynamic handler was registered. v0 number (128..), v1 hyp VA.
  handler_registered = 2,
  /// A module's init returned. v0 init's hyp VA, v1 result (sign-extended).
  module_init = 3,
  /// prot_finalize ran: host stage 2 is on. v0 CPU.
  deprivileged = 4,
  /// An op that does not exist yet was used. name: op, v0 slot, v1 caller's return address.
  op_missing = 5,
  /// Hyp panic. v0 ESR_EL2, v1 SPSR_EL2, v2 ELR_EL2, v3 FAR_EL2, v4 HPFAR_EL2, v5 PAR_EL1, v6 x30,
  /// v7 SP; of a kCFI failure v8 the callee, v9 the word that was expected before it, v10 the one
  /// that stands there; v11 the return address to the innermost module on the stack. name: the op
  /// that registered the function which was to be called, text: what the registers do not say.
  hyp_panic = 6,
  /// An abort was injected into the host. v0 ESR_EL2, v1 IPA, v2 host PC.
  host_abort_injected = 7,
  /// A module called an op (only with HypBootInfo::log_ops). name: op, text: the string of a string
  /// argument, v0 row in ops.def, v1 caller's return address, v2..v9 x0..x7.
  op_begin = 8,
  /// It returned. v0 row, v1 x0.
  op_end = 9,
  /// An op refused what a module gave it, or was given NULL for a function. name: op, v0 answer (0
  /// or -errno), v1 the function or the first physical address, v2 the return address to the
  /// module, v3 RefusedSubject.
  op_refused = 10,

  // From EL1.
  /// The host kernel starts to load a module. name, text: path in the initramfs, v0: 1 when the
  /// module is on the protected list, 0 for a late load.
  module_begin = 32,
  /// The module's file was found and read. name, text: vermagic, v0 size in bytes.
  module_file = 33,
  /// __pkvm_load_el2_module succeeded. name, v0 hyp VA (token), v1 kernel VA of the lowest section,
  /// v2 size in bytes.
  module_el2_loaded = 34,
  /// __pkvm_register_el2_call answered. name: module, text: EL2 symbol without prefix,
  /// v0 number or negative error, v1 hyp VA.
  module_handler = 35,
  /// The load ended. name, text: why it failed in words (empty when loaded), v0 error (0 or
  /// -errno), v1 Step at which it failed, v2 result of the EL1 init function where it ran.
  module_end = 36,
  /// One record for each listed module that is not tried because an earlier one failed. name.
  module_skipped = 37,
  /// A call of the rc file is about to be made. name: as written, v0 x0, v1..v7 x1..x7, v8: 0 HVC,
  /// 1 SMC.
  call_begin = 38,
  /// It returned. v0..v7: x0..x7, v9: 1 when x18 was not what it was before.
  call_end = 39,
  /// Between the two, of an SMC. v0..v9: x8..x17 as they were answered.
  call_more = 56,
  /// It could not be made. name: as written, text: why.
  call_not_made = 40,
  /// pvmfw was cleared before deprivilege. text: why.
  pvmfw_wiped = 41,
  /// finalize_pkvm is over. v0: 1 deprivileged, 0 not.
  finalized = 42,
  /// The host kernel panicked. text: its message.
  host_panic = 43,
  /// The rc file is done; power-off follows.
  done = 44,
  /// A line of the rc file could not be understood. text: why, v0 line number.
  rc_error = 45,
  /// A run came to where released kernels have a defect. name: the quirk's name (quirk.h), v0: 1
  /// reproduced, 0 avoided.
  quirk = 46,
  /// A module imports a symbol that nobody exports. name: module, text: symbol, v0: 1 when it was
  /// bound to a stub (pkvmemu.unresolved=stub), 0 when the load is refused for it.
  module_unresolved = 47,
  /// The EL2 half of a module got its addresses. name, v0 hyp VA (token), v1 size in bytes, v2 hyp
  /// VA of .hyp.text, v3 kernel VA of it.
  module_el2_placed = 51,
  /// An entry of the trace buffer (--trace-events). name: the event, text: its fields, v0 id.
  trace_event = 52,
  /// A stub was called. name: symbol, v0 the caller's return address, v1 what it answered, v2: 1
  /// for a declared stub (stubs.def), 0 for one that stands for a symbol nobody exports.
  stub_used = 48,
  /// An image of the firmware runs at its own addresses, or is about to. v0 VA of its first byte,
  /// v1 its exception level.
  image_placed = 54,
  /// Sections of a module got their addresses in the kernel, those of its EL2 half included; as
  /// many records as it takes. name, v0 to v14: pack_section(), 0 behind the last.
  module_el1_placed = 55,
  /// The platform bus offers a device to a driver. name: the driver, text: the device.
  device_probe_begin = 57,
  /// The driver's probe function returned. name, text, v0 what it answered (sign-extended).
  device_probe_end = 58,
  /// The host kernel is about to touch a physical address (wish `touch`). name: as written, v0: 0
  /// read, 1 write, 2 execute, v1 PA, v2 what it writes.
  touch_begin = 49,
  /// It has. name, v0: 1 when it raised an exception, v1 what it read, v2 ESR_EL1, v3 FAR_EL1.
  touch_end = 50,

  // From EL1, about guests. name: the guest's program, v3: its number in this run, from 1; 0 is the
  // kernel's own (probe_begin).
  /// A step of running it. text: which, v0 what it answered (0 or -errno), v1: 1 protected.
  /// v2: what it told, where it tells something (firmware info: the size).
  guest_step = 64,
  /// A line that the guest printed. text.
  guest_console = 65,
  /// It is torn down. v0: 1 when it ran to its end.
  guest_end = 66,
  /// The kernel starts a protected VM of its own, to see whether one can be had: the steps, lines
  /// and end that follow are that VM's.
  probe_begin = 67,

  // From EL1, about attacks (--attack).
  /// One begins. name, v0: 1 when the hypervisor has to panic.
  attack_begin = 68,
  /// It is over, and all is torn down. name, text: what was not as specified, v0: 1 when all was.
  attack_end = 69,

  /// The kernel waits for a wish (`await` in the rc file) and reads it behind this event: a line
  /// and a NUL, or just that for none. v0 PA of the buffer, v1 its size, v2: 0 before deprivilege,
  /// 1 after.
  awaiting = 80,
  /// The protected modules are loaded next.
  modules_next = 81,
};

/// Where a module's load stands; the last one is what a failure names.
enum class Step : std::uint32_t {
  find_file = 0,         ///< look the name up in modules.dep and the initramfs
  read_file = 1,         ///< ELF header, sections, vermagic
  resolve_symbols = 2,   ///< imports
  relocate = 3,          ///< layout and relocation
  discover_hyp = 4,      ///< .hyp.* sections (pkvm-abi.md 2.3)
  el1_init = 5,          ///< the module's own init, for reasons of its own
  phase_check = 6,       ///< load step 1 (3.2): protected mode, not finalised
  section_check = 7,     ///< load step 2: page alignment
  alloc_module_va = 8,   ///< load step 5
  hyp_reloc = 9,         ///< load step 7
  map_module_page = 10,  ///< load step 12
  init_module = 11,      ///< load step 14: the EL2 init function
  done = 12,
  parameters = 13,  ///< between discover_hyp and el1_init: the module's parameters are set
};

/// What an op was given (op_refused).
enum class RefusedSubject : std::uint64_t { function = 0, memory = 1, device = 2 };

struct Record {
  Kind kind;
  std::uint32_t sequence;  ///< counts up from 0 in each ring
  std::uint64_t value[15];
  char name[64];   ///< NUL-terminated
  char text[192];  ///< NUL-terminated
};
static_assert(sizeof(Record) == 384);

/// A section of a module's file and where it lies: the kernel's addresses differ in their low 48
/// bits alone.
struct SectionPlace {
  std::uint32_t section;
  std::uint64_t address;
};
inline constexpr unsigned section_shift = 48;
constexpr std::uint64_t pack_section(SectionPlace place) {
  return std::uint64_t{place.section} << section_shift |
         (place.address & ((std::uint64_t{1} << section_shift) - 1));
}
constexpr SectionPlace unpack_section(std::uint64_t value) {
  return {.section = static_cast<std::uint32_t>(value >> section_shift),
          .address = value | ~((std::uint64_t{1} << section_shift) - 1)};
}

struct RingHeader {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t record_size;
  std::uint32_t capacity;  ///< records that follow the header
  std::uint32_t produced;  ///< records ever produced (wraps at 2^32)
  std::uint32_t reserved[11];
};
static_assert(sizeof(RingHeader) == 64);

constexpr std::uint32_t capacity_of(std::uint64_t ring_bytes) {
  return static_cast<std::uint32_t>((ring_bytes - sizeof(RingHeader)) / sizeof(Record));
}

}  // namespace pkvm::event
