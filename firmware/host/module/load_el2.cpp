// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/load_el2.h"

#include <algorithm>

#include "host/module/hyp_imports.h"
#include "host/module/report.h"
#include "image/text.h"
#include "lib/fault.h"
#include "pkvm/smccc.h"
#include "support/bits.h"

namespace pkvmemu::kmod {
namespace {

using pkvm::Hypercall;

constexpr std::uint64_t lowest_register = 1;

LoadError problem(Problem what, Step step, int status) {
  LoadError error;
  error.problem = what;
  error.step = step;
  error.status = status;
  return error;
}

/// What init_module takes (pkvm-abi.md 3.2, step 14).
struct InitCall {
  bool takes_descriptor;  ///< the kernel address of a shared copy, not init's hyp VA
};
constexpr InitCall init_call(pkvm::Generation id) {
  constexpr std::array<InitCall, pkvm::generation_count> rows = {{{false}, {false}, {true}}};
  return rows[static_cast<std::size_t>(id)];
}

bool is_absent(const HypRange& range) {
  return range.start.value == 0;
}

const HypPartRow& row_of(const HypRange& range) {
  return hyp_part_rows[static_cast<std::size_t>(range.part)];
}

std::array<std::uint64_t, 4> raw_call(KernelServices& services, pkvm::Generation generation,
                                      Hypercall call, std::span<const std::uint64_t> arguments) {
  std::array<std::uint64_t, 8> x{};
  const auto number = pkvm::hypercall_number(generation, call).value_or(0xffff);
  x[0] = pkvm::smccc::kvm_host_id(static_cast<std::uint32_t>(number));
  for (std::size_t i = 0; i < arguments.size() && i + lowest_register < x.size(); ++i)
    x[i + lowest_register] = arguments[i];
  return services.hypercall(x);
}

}  // namespace

std::uint64_t call_hyp(KernelServices& services, pkvm::Generation generation, Hypercall call,
                       std::span<const std::uint64_t> arguments) {
  const auto result = raw_call(services, generation, call, arguments);
  if (result[0] != 0) {
    image::Line<128> line;
    line.put("WARNING: hypercall ");
    line.put(pkvm::name_of(call));
    line.put(" answered x0 = ");
    line.put_signed(static_cast<std::int64_t>(result[0]));
    services.message(line.written());
  }
  return result[1];
}

Loaded<void> El2Load::run() {
  if (auto done = check_phase(); !done) return done;
  if (!module_.hyp.present)
    return std::unexpected(
        problem(Problem::no_hyp_section, Step::section_check, negated(Errno::einval)));
  if (const auto place = locate_arch_hyp(generation_, module_); !place)
    return std::unexpected(place.error());
  if (auto done = check_alignment(); !done) return done;
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("load.reference", Errno::enodev, "a reference on the module is taken"))
    return std::unexpected(problem(Problem::no_reference, Step::phase_check, fault.answer));
  ++module_.references;
  auto done = load_with_reference();
  if (!done) --module_.references;
  return done;
}

Loaded<void> El2Load::check_phase() const {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("load.phase", Errno::eopnotsupp,
                                               "a load is allowed only before deprivilege"))
    return std::unexpected(problem(Problem::finalised, Step::phase_check, fault.answer));
  switch (services_.hyp_phase()) {
    case HypPhase::open:
      return {};
    case HypPhase::not_protected:
      return std::unexpected(
          problem(Problem::not_protected, Step::phase_check, negated(Errno::eopnotsupp)));
    case HypPhase::finalised:
      return std::unexpected(
          problem(Problem::finalised, Step::phase_check, negated(Errno::eopnotsupp)));
  }
  return {};
}

Loaded<void> El2Load::check_alignment() const {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("load.section_check", Errno::einval,
                                               "the sections of a module's EL2 half are checked"))
    return std::unexpected(problem(Problem::sections_refused, Step::section_check, fault.answer));
  for (const HypRange& range : module_.hyp.parts) {
    if (is_aligned(range.start.value, page_size)) continue;
    LoadError error =
        problem(Problem::unaligned_section, Step::section_check, negated(Errno::einval));
    error.other = row_of(range).section;
    error.found = range.start.value;
    error.expected = page_size;
    return std::unexpected(error);
  }
  return {};
}

Loaded<void> El2Load::load_with_reference() {
  parts_ = sorted_parts(module_.hyp);
  std::size_t first = 0;
  while (first + 1 < parts_.size() && is_absent(parts_[first]))
    ++first;
  module_.hyp.start = parts_[first].start;
  module_.hyp.end = parts_.back().end;

  if (auto done = allocate_addresses(); !done) return done;
  store_hyp_range(generation_, module_);
  relocate();
  if (auto done = HypImports(services_, generation_, defects_, modules_).resolve(module_); !done)
    return done;
  if (auto done = share_descriptor(); !done) return done;
  auto done = map_sections();
  if (done) done = initialise();
  unshare_descriptor();
  module_.hyp.loaded = done.has_value();
  return done;
}

Loaded<void> El2Load::allocate_addresses() {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("load.hvc.alloc_module_va", Errno::eperm,
                                               "hypercall __pkvm_alloc_module_va"))
    return std::unexpected(problem(Problem::va_refused, Step::alloc_module_va, fault.answer));
  const std::uint64_t size = module_.hyp.end - module_.hyp.start;
  const std::uint64_t pages = align_up(size, page_size) >> page_shift;
  const auto result =
      raw_call(services_, generation_, Hypercall::pkvm_alloc_module_va, std::array{pages});
  if (result[0] != 0) {
    LoadError error = problem(Problem::va_refused, Step::alloc_module_va, negated(Errno::eperm));
    error.found = result[0];
    return std::unexpected(error);
  }
  if (result[1] == 0) {
    LoadError error = problem(Problem::no_hyp_va, Step::alloc_module_va, negated(Errno::enomem));
    error.expected = pages;
    return std::unexpected(error);
  }
  module_.hyp.token = HypVa{result[1]};
  const HypRange& text = module_.hyp.parts[static_cast<std::size_t>(HypPart::text)];
  services_.event(Event(pkvm::event::Kind::module_el2_placed)
                      .name(module_.name())
                      .value(0, module_.hyp.token.value)
                      .value(1, size)
                      .value(2, module_.hyp.hyp_address(text.start).value)
                      .value(3, text.start.value)
                      .record());
  if (token_out_.value != 0) services_.store_word(token_out_, module_.hyp.token.value);
  return {};
}

void El2Load::relocate() {
  const std::uint32_t outside = apply_hyp_relocs(services_, module_);
  if (outside != 0) {
    image::Line<128> line;
    line.put("WARNING: ");
    line.put(module_.name());
    line.put(": .hyp.reloc entries point outside the module: ");
    line.put_decimal(outside);
    services_.message(line.written());
  }
  // Slots may lie in code.
  const auto& text = module_.memory[static_cast<std::size_t>(MemoryKind::text)];
  if (text) services_.sync_icache(*text);
}

/// From 6.12 on the hypervisor reads struct pkvm_el2_module itself, from a page of its own copy.
Loaded<void> El2Load::share_descriptor() {
  if (!init_call(generation_).takes_descriptor) return {};
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("load.hvc.host_share_hyp", Errno::eperm,
                           "hypercall __pkvm_host_share_hyp for the module's descriptor"))
    return std::unexpected(problem(Problem::share_refused, Step::init_module, fault.answer));
  descriptor_ = services_.allocate(MemoryKind::scratch, page_size);
  if (PKVM_FAULT_NOTHING("load.descriptor", "a page for the copy of the module's descriptor") &&
      descriptor_) {
    services_.free(MemoryKind::scratch, *descriptor_);
    descriptor_.reset();
  }
  if (!descriptor_) {
    LoadError error = problem(Problem::no_memory, Step::init_module, negated(Errno::enomem));
    error.expected = page_size;
    return std::unexpected(error);
  }
  const pkvm::ModuleLayout& layout = pkvm::info(generation_).module;
  const auto own = module_.this_module_bytes().subspan(*module_.hyp.struct_offset, layout.hyp_size);
  __builtin_memcpy(descriptor_->bytes.data(), own.data(), own.size());
  const std::uint64_t frame = services_.frame_of(descriptor_->address).value_or(Pfn{}).value;
  const auto status = static_cast<int>(
      call_hyp(services_, generation_, Hypercall::pkvm_host_share_hyp, std::array{frame}));
  if (status == 0) return {};
  services_.free(MemoryKind::scratch, *descriptor_);
  descriptor_.reset();
  LoadError error = problem(Problem::share_refused, Step::init_module, status);
  error.found = frame;
  return std::unexpected(error);
}

void El2Load::unshare_descriptor() {
  if (!descriptor_) return;
  const std::uint64_t frame = services_.frame_of(descriptor_->address).value_or(Pfn{}).value;
  const fw::Fault fault =
      PKVM_FAULT_ERRNO("load.hvc.host_unshare_hyp", Errno::eperm,
                       "hypercall __pkvm_host_unshare_hyp for the module's descriptor");
  const auto status =
      fault ? static_cast<std::uint64_t>(fault.answer)
            : call_hyp(services_, generation_, Hypercall::pkvm_host_unshare_hyp, std::array{frame});
  // Memory that the hypervisor still reads is nobody else's.
  if (status == 0) services_.free(MemoryKind::scratch, *descriptor_);
  descriptor_.reset();
}

Loaded<void> El2Load::map_sections() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (is_absent(parts_[i])) continue;
    auto done = map_section(parts_[i]);
    if (done) continue;
    unmap_sections(std::span(parts_).first(i));
    return done;
  }
  return {};
}

Loaded<void> El2Load::map_section(const HypRange& range) {
  for (KernVa page = range.start; page < range.end; page = page + page_size) {
    const std::uint64_t frame = services_.frame_of(page).value_or(Pfn{}).value;
    const fw::Fault fault = PKVM_FAULT_ERRNO("load.hvc.map_module_page", Errno::enomem,
                                             "hypercall __pkvm_map_module_page");
    const int status =
        fault ? fault.answer
              : static_cast<int>(call_hyp(
                    services_, generation_, Hypercall::pkvm_map_module_page,
                    std::array{frame, module_.hyp.hyp_address(page).value, row_of(range).prot}));
    if (status == 0) continue;
    for (KernVa mapped = range.start; mapped < page; mapped = mapped + page_size)
      unmap_page(mapped, module_.hyp.hyp_address(mapped));
    LoadError error = problem(Problem::map_refused, Step::map_module_page, status);
    error.other = row_of(range).section;
    error.found = frame;
    return std::unexpected(error);
  }
  return {};
}

std::uint64_t El2Load::init_argument() const {
  if (descriptor_) return descriptor_->address.value;
  return module_.hyp.hyp_address(read_hyp_init(generation_, module_)).value;
}

Loaded<void> El2Load::initialise() {
  const fw::Fault fault =
      PKVM_FAULT_ERRNO("load.hvc.init_module", Errno::eperm, "hypercall __pkvm_init_module");
  const int status =
      fault ? fault.answer
            : static_cast<int>(call_hyp(services_, generation_, Hypercall::pkvm_init_module,
                                        std::array{init_argument()}));
  if (status == 0) return {};
  image::Line<64> line;
  line.put("Failed to init EL2 module: ");
  line.put_signed(status);
  services_.message(line.written());
  unmap_sections(parts_);
  return std::unexpected(problem(Problem::hyp_init_failed, Step::init_module, status));
}

void El2Load::unmap_sections(std::span<const HypRange> ranges) {
  const bool wrong = unmaps_wrong_addresses();
  for (const HypRange& range : ranges) {
    if (is_absent(range)) continue;
    for (KernVa page = range.start; page < range.end; page = page + page_size)
      // As shipped: offsets count from entry 0, whose start is NULL.
      unmap_page(page, wrong ? module_.hyp.token + page.value : module_.hyp.hyp_address(page));
  }
}

/// The defect of pkvm-abi.md 3.4 concerns this module: reported, whether reproduced or not.
bool El2Load::unmaps_wrong_addresses() {
  constexpr auto quirk = pkvm::Quirk::failed_load_unmaps_wrong_address;
  // Sections that the generation does not have are no entries of its array.
  const auto absent = [this](const HypRange& range) {
    return is_absent(range) && generation_ >= row_of(range).since;
  };
  if (!pkvm::has_quirk(generation_, quirk) || std::ranges::none_of(parts_, absent)) return false;
  const bool reproduced = defects_ == pkvm::Defects::reproduced;
  services_.event(Event(pkvm::event::Kind::quirk)
                      .name(pkvm::quirk_row(quirk).name)
                      .value(0, reproduced ? 1 : 0)
                      .record());
  return reproduced;
}

void El2Load::unmap_page(KernVa page, HypVa address) {
  const std::uint64_t frame = services_.frame_of(page).value_or(Pfn{}).value;
  // x1 is not written by the hypervisor here (3.3): only x0 tells.
  (void)call_hyp(services_, generation_, Hypercall::pkvm_unmap_module_page,
                 std::array{frame, address.value});
}

}  // namespace pkvmemu::kmod
