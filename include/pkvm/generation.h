// SPDX-License-Identifier: GPL-2.0-only
// The three kernel generations and what differs between them, as data (pkvm-abi.md 10).
// Nothing outside these rows may ask "which version is this?".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pkvm {

enum class Generation : std::uint32_t { android14_6_1 = 0, android15_6_6 = 1, android16_6_12 = 2 };
inline constexpr std::size_t generation_count = 3;

/// Where the fields of `struct module` lie that a loader must touch, in bytes (pkvm-abi.md 2.4:
/// measured on GKI-configured builds).
struct ModuleLayout {
  std::uint32_t size;
  std::uint32_t name;
  std::uint32_t init;
  std::uint32_t arch_hyp;
  std::uint32_t exit;
  /// Offset of the `init` pointer inside struct pkvm_el2_module, which arch.hyp is.
  std::uint32_t hyp_init;
  /// sizeof(struct pkvm_el2_module).
  std::uint32_t hyp_size;
};

struct GenerationInfo {
  Generation id;
  std::string_view kmi;             ///< name users type: "android15-6.6"
  std::string_view kernel_prefix;   ///< how a vermagic of this generation starts: "6.6."
  std::string_view kernel_release;  ///< the baseline that our firmware models
  unsigned sublevel;                ///< the last number of kernel_release
  ModuleLayout module;
  std::uint32_t ops_slots;        ///< 8-byte slots of pkvm_module_ops, LIST_HARDENED on
  std::uint32_t first_late_call;  ///< __pkvm_prot_finalize: lowest id after finalisation (5.1)
  std::uint32_t static_calls;     ///< size of the static hypercall table (5.1)
  bool strips_sve_hint;           ///< dispatch clears bit 16 of x0 (4.1)
  bool presets_dynamic_x0;        ///< dispatch writes x0 = 0 before a dynamic handler (4.3)
  bool wipe_keeps_firmware_size;  ///< a wiped pvmfw is still reported with its size (6.5)
  bool wipe_tells_hyp;            ///< EL2's own base and size of pvmfw become 0 as well (6.5)
};

inline constexpr std::array<GenerationInfo, generation_count> generations = {{
    {.id = Generation::android14_6_1,
     .kmi = "android14-6.1",
     .kernel_prefix = "6.1.",
     .kernel_release = "6.1.75",
     .sublevel = 75,
     .module = {1024, 24, 368, 576, 968, 80, 88},
     .ops_slots = 64,
     .first_late_call = 17,
     .static_calls = 44,
     .strips_sve_hint = false,
     .presets_dynamic_x0 = true,
     .wipe_keeps_firmware_size = false,
     .wipe_tells_hyp = false},
    {.id = Generation::android15_6_6,
     .kmi = "android15-6.6",
     .kernel_prefix = "6.6.",
     .kernel_release = "6.6.77",
     .sublevel = 77,
     .module = {1536, 24, 392, 984, 1464, 152, 160},
     .ops_slots = 86,
     .first_late_call = 20,
     .static_calls = 59,
     .strips_sve_hint = true,
     .presets_dynamic_x0 = false,
     .wipe_keeps_firmware_size = true,
     .wipe_tells_hyp = false},
    {.id = Generation::android16_6_12,
     .kmi = "android16-6.12",
     .kernel_prefix = "6.12.",
     .kernel_release = "6.12.23",
     .sublevel = 23,
     .module = {1600, 24, 392, 984, 1528, 192, 200},
     .ops_slots = 93,
     .first_late_call = 21,
     .static_calls = 76,
     .strips_sve_hint = true,
     .presets_dynamic_x0 = false,
     .wipe_keeps_firmware_size = false,
     .wipe_tells_hyp = true},
}};

constexpr const GenerationInfo& info(Generation id) {
  return generations[static_cast<std::size_t>(id)];
}

/// A kernel that is not modelled, but whose modules one that is runs as its own, with a warning.
struct StandIn {
  std::string_view kmi;
  std::string_view kernel_prefix;
  Generation runs_as;
  std::string_view reason;
};

inline constexpr std::array stand_ins = {
    StandIn{.kmi = "android14-5.15",
            .kernel_prefix = "5.15.",
            .runs_as = Generation::android14_6_1,
            .reason = "the operations that it has lie in the same slots"},
};

/// A kernel whose modules cannot be run, and why; others are just not known.
struct RefusedKernel {
  std::string_view kernel_prefix;
  std::string_view reason;
};

inline constexpr std::array refused_kernels = {
    RefusedKernel{.kernel_prefix = "5.10.", .reason = "5.10 kernels load no EL2 modules"},
};

/// The row whose prefix a vermagic starts with.
template <typename Row, std::size_t size>
constexpr const Row* find_kernel(const std::array<Row, size>& rows, std::string_view vermagic) {
  for (const Row& row : rows)
    if (vermagic.starts_with(row.kernel_prefix)) return &row;
  return nullptr;
}

/// The generation that runs modules of this vermagic ("6.6.77-android15-8 SMP preempt ...").
constexpr std::optional<Generation> generation_of_vermagic(std::string_view vermagic) {
  if (const GenerationInfo* row = find_kernel(generations, vermagic)) return row->id;
  if (const StandIn* row = find_kernel(stand_ins, vermagic)) return row->runs_as;
  return std::nullopt;
}

constexpr std::optional<Generation> generation_of_kmi(std::string_view kmi) {
  for (const GenerationInfo& row : generations)
    if (row.kmi == kmi) return row.id;
  return std::nullopt;
}

}  // namespace pkvm
