// SPDX-License-Identifier: GPL-2.0-only
#include "fake_kernel.h"

#include <fmt/format.h>

#include <cstring>

#include "host/module/params.h"
#include "pkvm/errno.h"
#include "pkvm/smccc.h"
#include "support/bits.h"

namespace pkvmemu::kmod::test {
namespace {

using pkvm::Errno;
using pkvm::Hypercall;

constexpr FakeHyp::Answer refused = {~std::uint64_t{0}, 0, 0, 0};

std::uint64_t error(Errno number) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(negated(number)));
}

std::string_view kind_name(pkvm::event::Kind kind) {
  using pkvm::event::Kind;
  switch (kind) {
    case Kind::module_begin:
      return "begin";
    case Kind::module_file:
      return "file";
    case Kind::module_el2_placed:
      return "el2_placed";
    case Kind::module_el2_loaded:
      return "el2_loaded";
    case Kind::module_handler:
      return "handler";
    case Kind::module_end:
      return "end";
    case Kind::module_skipped:
      return "skipped";
    case Kind::module_unresolved:
      return "unresolved";
    default:
      return "?";
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Call& call) {
  return out << fmt::format("{}({:#x}, {:#x}, {:#x})", pkvm::name_of(call.call), call.arguments[0],
                            call.arguments[1], call.arguments[2]);
}

FakeHyp::Answer FakeHyp::map_page(const Call& call) {
  const auto [frame, va, prot] = call.arguments;
  if (owned_frames.contains(frame)) return {0, error(Errno::eperm), 0, 0};
  owned_frames.insert(frame);
  mapped[va] = {.frame = frame, .prot = prot};
  return {0, 0, 0, 0};
}

FakeHyp::Answer FakeHyp::unmap_page(const Call& call) {
  const auto [frame, va, unused] = call.arguments;
  if (owned_frames.erase(frame) == 0)
    complaints.push_back(fmt::format("frame {:#x} is not the hypervisor's", frame));
  if (mapped.erase(va) == 0) complaints.push_back(fmt::format("nothing is mapped at {:#x}", va));
  return {0, frame, va, 0};
}

FakeHyp::Answer FakeHyp::unshare_page(const Call& call) {
  if (shared_frames.erase(call.arguments[0]) == 0) return {0, error(Errno::eperm), 0, 0};
  return {0, 0, 0, 0};
}

FakeHyp::Answer FakeHyp::answer(const std::array<std::uint64_t, 8>& x) {
  const auto which = pkvm::hypercall_of_number(generation, x[0] - pkvm::smccc::kvm_host_base);
  if (!which) {
    complaints.push_back(fmt::format("unknown hypercall {:#x}", x[0]));
    return refused;
  }
  const Call call{.call = *which, .arguments = {x[1], x[2], x[3]}};
  calls.push_back(call);
  const unsigned nth = ++count_[*which];
  if (const auto scripted_answer = scripted.find({*which, nth}); scripted_answer != scripted.end())
    return scripted_answer->second;
  switch (*which) {
    case Hypercall::pkvm_alloc_module_va: {
      const std::uint64_t va = next_va;
      next_va += x[1] * page_size;
      return {0, va, 0, 0};
    }
    case Hypercall::pkvm_map_module_page:
      return map_page(call);
    case Hypercall::pkvm_unmap_module_page:
      return unmap_page(call);
    case Hypercall::pkvm_host_share_hyp:
      return {0, shared_frames.insert(x[1]).second ? 0 : error(Errno::eperm), 0, 0};
    case Hypercall::pkvm_host_unshare_hyp:
      return unshare_page(call);
    case Hypercall::pkvm_init_module:
      return {0, static_cast<std::uint64_t>(static_cast<std::int64_t>(init_result)), 0, 0};
    case Hypercall::pkvm_register_hcall:
      if (handlers.size() == pkvm::max_dynamic_calls) return {0, error(Errno::enomem), 0, 0};
      handlers.push_back(x[1]);
      return {0, pkvm::first_dynamic_call + handlers.size() - 1, 0, 0};
    default:
      return refused;
  }
}

std::optional<Memory> FakeKernel::allocate(MemoryKind kind, std::uint64_t size) {
  if (++allocations_ == failing_allocation) return std::nullopt;
  const std::uint64_t rounded = align_up(size, page_size);
  Area& area = areas.emplace_back();
  area.kind = kind;
  area.address = KernVa{next_address_};
  area.bytes.resize(rounded);
  // A page between areas, so that nothing works by their being neighbours.
  next_address_ += rounded + page_size;
  return Memory{.address = area.address, .bytes = area.bytes};
}

FakeKernel::Area* FakeKernel::area_at(std::uint64_t address) {
  for (Area& area : areas)
    if (!area.freed && address >= area.address.value &&
        address - area.address.value < area.bytes.size())
      return &area;
  return nullptr;
}

void FakeKernel::free(MemoryKind kind, const Memory& memory) {
  Area* area = area_at(memory.address.value);
  if (area == nullptr || area->kind != kind) {
    hyp.complaints.emplace_back("freed what was not allocated");
    return;
  }
  for (std::uint64_t at = 0; at < area->bytes.size(); at += page_size)
    if (hyp.shared_frames.contains(frame_of(area->address + at)->value))
      hyp.complaints.emplace_back("freed what is shared");
  area->freed = true;
  // A use after free shows under the address sanitizer.
  area->bytes.clear();
  area->bytes.shrink_to_fit();
}

void FakeKernel::protect(MemoryKind kind, const Memory& memory) {
  if (Area* area = area_at(memory.address.value)) area->protection = kind;
}

void FakeKernel::sync_icache(const Memory& memory) {
  if (Area* area = area_at(memory.address.value)) area->synced = true;
}

std::optional<KernVa> FakeKernel::resolve(std::string_view symbol) {
  if (const auto found = exports.find(symbol); found != exports.end()) return KernVa{found->second};
  if (!resolve_all_from) return std::nullopt;
  constexpr std::uint64_t distance = 0x140;
  const std::uint64_t address = *resolve_all_from + exports.size() * distance;
  exports.emplace(symbol, address);
  return KernVa{address};
}

std::optional<KernVa> FakeKernel::stub_for(std::string_view symbol) {
  if (!stubs_from) return std::nullopt;
  stubs.emplace_back(symbol);
  return KernVa{*stubs_from + 8 * stubs.size()};
}

int FakeKernel::set_parameter(KernVa address, const char* value) {
  ParamRecord record{};
  Area* area = area_at(address.value);
  if (area == nullptr) return negated(Errno::efault);
  std::memcpy(&record, area->bytes.data() + (address.value - area->address.value), sizeof(record));
  parameters.push_back(value == nullptr ? fmt::format("{:#x}", record.argument)
                                        : fmt::format("{:#x}={}", record.argument, value));
  return parameter_answer;
}

std::optional<Pfn> FakeKernel::frame_of(KernVa address) {
  if (area_at(address.value) == nullptr) return std::nullopt;
  return pfn_of(Pa{address.value - module_window + physical_base});
}

std::array<std::uint64_t, 4> FakeKernel::hypercall(const std::array<std::uint64_t, 8>& x) {
  const auto which = pkvm::hypercall_of_number(hyp.generation, x[0] - pkvm::smccc::kvm_host_base);
  if (const Area* area = area_at(x[1]); which == Hypercall::pkvm_init_module && area != nullptr &&
                                        hyp.shared_frames.contains(frame_of(KernVa{x[1]})->value))
    descriptor = area->bytes;
  return hyp.answer(x);
}

int FakeKernel::run_init(KernVa address) {
  inits.push_back(address);
  return init(address);
}

void FakeKernel::store_word(KernVa where, std::uint64_t value) {
  Area* area = area_at(where.value);
  if (area == nullptr) {
    stored_words[where.value] = value;
    return;
  }
  std::memcpy(area->bytes.data() + (where.value - area->address.value), &value, sizeof(value));
}

std::optional<Memory> FakeKernel::allocate_per_cpu(std::uint64_t size, std::uint64_t alignment) {
  per_cpu.resize(per_cpu_room);
  if (size > per_cpu_room) return std::nullopt;
  ++per_cpu_pieces;
  return Memory{.address = KernVa{align_up(per_cpu_window, alignment)},
                .bytes = std::span(per_cpu).first(size)};
}

void FakeKernel::free_per_cpu(const Memory& memory) {
  if (memory.address.value != per_cpu_window || per_cpu_pieces == 0)
    hyp.complaints.emplace_back("freed per-CPU memory that was not allocated");
  --per_cpu_pieces;
}

void FakeKernel::patch_code(KernVa where, std::uint32_t instruction) {
  Area* area = area_at(where.value);
  if (area == nullptr) {
    hyp.complaints.emplace_back("patched what is no module memory");
    return;
  }
  std::memcpy(area->bytes.data() + (where.value - area->address.value), &instruction,
              sizeof(instruction));
}

std::optional<bool> FakeKernel::key_enabled(KernVa key) {
  const auto found = keys.find(key.value);
  if (found == keys.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> FakeKernel::event_lines() const {
  std::vector<std::string> lines;
  for (const pkvm::event::Record& record : events)
    lines.push_back(fmt::format("{} {}", kind_name(record.kind), record.name));
  return lines;
}

std::size_t FakeKernel::live_areas() const {
  std::size_t count = 0;
  for (const Area& area : areas)
    count += area.freed ? 0 : 1;
  return count;
}

}  // namespace pkvmemu::kmod::test
