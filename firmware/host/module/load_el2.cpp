// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/load_el2.h"

#include "image/text.h"
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
  ++module_.references;
  auto done = load_with_reference();
  if (!done) --module_.references;
  return done;
}

Loaded<void> El2Load::check_phase() const {
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
  if (auto done = map_sections(); !done) return done;
  if (auto done = initialise(); !done) return done;
  module_.hyp.loaded = true;
  return {};
}

Loaded<void> El2Load::allocate_addresses() {
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
    const auto status = static_cast<int>(
        call_hyp(services_, generation_, Hypercall::pkvm_map_module_page,
                 std::array{frame, module_.hyp.hyp_address(page).value, row_of(range).prot}));
    if (status == 0) continue;
    unmap_pages(range.start, page);
    LoadError error = problem(Problem::map_refused, Step::map_module_page, status);
    error.other = row_of(range).section;
    error.found = frame;
    return std::unexpected(error);
  }
  return {};
}

Loaded<void> El2Load::initialise() {
  const KernVa init = read_hyp_init(generation_, module_);
  const auto status = static_cast<int>(call_hyp(services_, generation_, Hypercall::pkvm_init_module,
                                                std::array{module_.hyp.hyp_address(init).value}));
  if (status == 0) return {};
  image::Line<64> line;
  line.put("Failed to init EL2 module: ");
  line.put_signed(status);
  services_.message(line.written());
  unmap_sections(parts_);
  return std::unexpected(problem(Problem::hyp_init_failed, Step::init_module, status));
}

void El2Load::unmap_sections(std::span<const HypRange> ranges) {
  for (const HypRange& range : ranges)
    if (!is_absent(range)) unmap_pages(range.start, range.end);
}

void El2Load::unmap_pages(KernVa start, KernVa end) {
  for (KernVa page = start; page < end; page = page + page_size) {
    const std::uint64_t frame = services_.frame_of(page).value_or(Pfn{}).value;
    // x1 is not written by the hypervisor here (3.3): only x0 tells.
    (void)call_hyp(services_, generation_, Hypercall::pkvm_unmap_module_page,
                   std::array{frame, module_.hyp.hyp_address(page).value});
  }
}

}  // namespace pkvmemu::kmod
