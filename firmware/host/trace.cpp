// SPDX-License-Identifier: GPL-2.0-only
#include "host/trace.h"

#include <algorithm>
#include <array>

#include "host/console.h"
#include "host/events.h"
#include "host/kernel.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "host/trace_text.h"
#include "lib/fault.h"
#include "pkvm/trace.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

using pkvm::Hypercall;
using pkvm::event::Kind;
using pkvm::trace::Descriptor;
using pkvm::trace::EntryHeader;
using pkvm::trace::PageHeader;

constexpr std::uint64_t buffer_pages = 16;

// struct hyp_event and struct trace_event_fields (pkvm-abi.md 2.8).
constexpr std::uint64_t event_size = 72;
constexpr std::uint64_t event_name = 0;
constexpr std::uint64_t event_name_size = 32;
constexpr std::uint64_t event_print_fmt = 40;
constexpr std::uint64_t event_fields = 48;
constexpr std::uint64_t field_stride = 40;
constexpr std::uint64_t field_name = 8;
constexpr std::uint64_t field_size = 16;
constexpr std::uint64_t field_is_signed = 24;
constexpr std::uint64_t printk_format_size = 128;
constexpr std::size_t max_fields = 16;

struct Buffer {
  std::array<const std::byte*, pkvm::trace::max_pages> pages{};
  bool running = false;
};
Buffer& buffer() {
  static constinit Buffer instance;
  return instance;
}

template <typename T>
T load(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value{};
  if (offset + sizeof(T) <= bytes.size())
    __builtin_memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::int64_t share(Pa page) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("host.hvc.share_trace", pkvm::Errno::eperm,
                           "hypercall __pkvm_host_share_hyp for a page of the trace"))
    return fault.answer;
  return kvm().call(Hypercall::pkvm_host_share_hyp, {pfn_of(page).value});
}

/// The record of event `id`, and the module that has it.
struct Found {
  const kmod::Module* module = nullptr;
  std::span<const std::byte> event;
};
Found find_event(std::uint16_t id) {
  for (const kmod::Module& module : loader().modules()) {
    const kmod::HypImage& hyp = module.hyp;
    if (!hyp.loaded || id < hyp.first_event_id || id - hyp.first_event_id >= hyp.event_count)
      continue;
    const std::uint64_t offset = std::uint64_t{id} - hyp.first_event_id;
    return {.module = &module,
            .event = module.bytes_at(hyp.events + (offset * event_size), event_size)};
  }
  return {};
}

std::uint64_t field_value(std::span<const std::byte> payload, std::uint64_t offset,
                          std::uint32_t size, bool is_signed) {
  std::uint64_t value = 0;
  if (size > sizeof(value) || offset + size > payload.size()) return 0;
  __builtin_memcpy(&value, payload.data() + offset, size);
  const unsigned unused = 64 - (size * 8);
  if (is_signed && size != 0)
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
  return value;
}

/// Fields lie packed behind the id.
std::string_view event_text(const Found& found, std::span<const std::byte> payload,
                            std::span<char> out) {
  std::array<TraceField, max_fields> fields{};
  std::size_t count = 0;
  std::uint64_t offset = sizeof(std::uint16_t);
  const KernVa table{load<std::uint64_t>(found.event, event_fields)};
  for (; count < fields.size(); ++count) {
    const auto row = found.module->bytes_at(table + (count * field_stride), field_stride);
    if (row.empty() || load<std::uint64_t>(row, 0) == 0) break;
    const auto size = load<std::uint32_t>(row, field_size);
    const bool is_signed = (load<std::uint32_t>(row, field_is_signed) & 1) != 0;
    fields[count] = {.name = found.module->text_at(KernVa{load<std::uint64_t>(row, field_name)}),
                     .value = field_value(payload, offset, size, is_signed),
                     .is_signed = is_signed};
    offset += size;
  }
  const KernVa format{load<std::uint64_t>(found.event, event_print_fmt)};
  return trace_text(out, found.module->text_at(format), std::span(fields).first(count));
}

std::string_view name_of(const Found& found) {
  const auto* const name = reinterpret_cast<const char*>(found.event.data() + event_name);
  return {name, static_cast<std::size_t>(std::find(name, name + event_name_size, '\0') - name)};
}

void tell(std::string_view name, std::string_view text, std::uint16_t id) {
  printk("hyp event %.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
         static_cast<int>(text.size()), text.data());
  events().emit(Kind::trace_event, {id}, name, text);
}

/// Formats of all modules in the order of their loads are numbered through.
std::string_view printk_format(std::uint8_t number) {
  std::uint64_t left = number;
  for (const kmod::Module& module : loader().modules()) {
    if (!module.hyp.loaded) continue;
    if (left < module.hyp.printk_format_count)
      return module.text_at(module.hyp.printk_formats + (left * printk_format_size));
    left -= module.hyp.printk_format_count;
  }
  return {};
}

void tell_printk(std::span<const std::byte> payload, std::span<char> out) {
  const auto entry = load<pkvm::trace::PrintkEntry>(payload, 0);
  const std::array<std::uint64_t, 4> values{entry.a, entry.b, entry.c, entry.d};
  tell("__hyp_printk", trace_printk_text(out, printk_format(entry.format), values), entry.id);
}

void tell_entry(std::span<const std::byte> payload) {
  std::array<char, 192> text{};
  const auto id = load<std::uint16_t>(payload, 0);
  if (id == pkvm::trace::printk_event) {
    tell_printk(payload, text);
    return;
  }
  const Found found = find_event(id);
  if (found.event.empty())
    printk("hyp event %u: of no module that is loaded\n", id);
  else
    tell(name_of(found), event_text(found, payload, text), id);
}

void tell_page(const std::byte* page) {
  const auto header = load<PageHeader>({page, sizeof(PageHeader)}, 0);
  if (header.lost != 0) printk("hyp events: %u lost\n", header.lost);
  const std::span<const std::byte> entries{
      page + sizeof(PageHeader),
      std::min<std::uint64_t>(header.used, page_size - sizeof(PageHeader))};
  for (std::uint64_t at = 0; at + sizeof(EntryHeader) <= entries.size();) {
    const auto size = load<EntryHeader>(entries, at).size;
    if (size > entries.size() - at - sizeof(EntryHeader)) return;
    tell_entry(entries.subspan(at + sizeof(EntryHeader), size));
    at += align_up(sizeof(EntryHeader) + size, pkvm::trace::entry_alignment);
  }
}

}  // namespace

void start_tracing() {
  const auto description = take_zeroed_pages(1);
  const auto pages = take_zeroed_pages(buffer_pages);
  if (!description || !pages || share(*description) != 0) return;
  auto& descriptor = *linear_pointer<Descriptor>(*description);
  for (std::uint64_t i = 0; i < buffer_pages; ++i) {
    const Pa page = *pages + (i * page_size);
    if (share(page) != 0) return;
    descriptor.frame[descriptor.pages++] = pfn_of(page).value;
    buffer().pages[i] = linear_pointer<const std::byte>(page);
  }
  const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.load_tracing", pkvm::Errno::enomem,
                                           "hypercall __pkvm_load_tracing");
  const std::int64_t loaded =
      fault ? fault.answer
            : kvm().call_with_refills(Hypercall::pkvm_load_tracing,
                                      {linear_va(*description), sizeof(Descriptor)});
  buffer().running = loaded == 0 && kvm().call(Hypercall::pkvm_enable_tracing, {1}) == 0;
  if (!buffer().running) {
    printk("hyp tracing: not available\n");
    return;
  }
  kvm().call(Hypercall::pkvm_enable_event, {pkvm::trace::printk_event, 1});
}

void trace_module(const kmod::Module& module) {
  if (!buffer().running) return;
  for (std::uint32_t i = 0; i < module.hyp.event_count; ++i) {
    const std::uint64_t id = module.hyp.first_event_id + i;
    const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.enable_event", pkvm::Errno::einval,
                                             "hypercall __pkvm_enable_event");
    const std::int64_t answer =
        fault ? fault.answer : kvm().call(Hypercall::pkvm_enable_event, {id, 1});
    if (answer != 0)
      printk("hyp event %llu: not enabled: %lld\n", static_cast<unsigned long long>(id),
             static_cast<long long>(answer));
  }
}

void drain_trace() {
  if (!buffer().running) return;
  while (true) {
    const std::int64_t page = kvm().call(Hypercall::pkvm_swap_reader_tracing, {0});
    if (page < 0 || page >= static_cast<std::int64_t>(buffer_pages)) return;
    tell_page(buffer().pages[static_cast<std::size_t>(page)]);
  }
}

}  // namespace pkvmemu::host
