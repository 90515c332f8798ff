// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/hyp_image.h"

#include <algorithm>
#include <concepts>
#include <utility>

#include "image/text.h"

namespace pkvmemu::kmod {
namespace {

constexpr std::uint64_t reloc_size = 4;
constexpr std::uint64_t hyp_event_size = 72;
constexpr std::uint64_t hyp_event_id_field = 64;
constexpr std::uint64_t event_id_size = 16;
constexpr std::uint64_t printk_fmt_size = 128;
constexpr std::uint64_t word_size = 8;

template <std::integral T>
T load(std::span<const std::byte> bytes) {
  T value;
  __builtin_memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

/// Writes a field of arch.hyp; a field the generation lacks, or that lies outside struct module, is
/// skipped.
template <std::integral T>
void store_field(const Module& module, std::uint16_t field, T value) {
  if (field == no_field || !module.hyp.struct_offset) return;
  const std::uint64_t offset = *module.hyp.struct_offset + field;
  const auto own = module.this_module_bytes();
  if (offset > own.size() || sizeof(T) > own.size() - offset) return;
  __builtin_memcpy(own.data() + offset, &value, sizeof(T));
}

void store_range(const Module& module, std::uint16_t field, KernVa start, KernVa end) {
  if (field == no_field) return;
  store_field(module, field, start.value);
  store_field(module, static_cast<std::uint16_t>(field + word_size), end.value);
}

void warn(KernelServices& services, const Module& module, std::string_view text) {
  image::Line<160> line;
  line.put("WARNING: ");
  line.put(module.name());
  line.put(": ");
  line.put(text);
  services.message(line.written());
}

class Discovery {
 public:
  Discovery(KernelServices& services, pkvm::Generation generation, Module& module)
      : services_(services),
        fields_(arch_hyp(generation)),
        generation_(generation),
        module_(module) {}

  Loaded<void> run() {
    if (!module_.file.has_hyp()) return {};
    const auto relocs = module_.file.elf().find_section(".hyp.reloc");
    if (!relocs) {
      LoadError error;
      error.problem = Problem::no_hyp_reloc;
      error.step = Step::discover_hyp;
      error.status = negated(Errno::enoexec);
      return std::unexpected(error);
    }
    if (const std::uint64_t pages = module_.file.hyp_page_size(); pages != page_size) {
      LoadError error;
      error.problem = Problem::other_page_size;
      error.step = Step::discover_hyp;
      error.status = negated(Errno::enoexec);
      error.expected = pages;
      return std::unexpected(error);
    }
    HypImage& hyp = module_.hyp;
    hyp.present = true;
    const pkvm::ModuleLayout& layout = pkvm::info(generation_).module;
    if (has_usual_layout(generation_, module_)) hyp.struct_offset = layout.arch_hyp;

    hyp.relocs = address_of(*relocs);
    hyp.reloc_count = static_cast<std::uint32_t>(relocs->header.size / reloc_size);
    for (const HypPartRow& row : hyp_part_rows) {
      hyp.parts[static_cast<std::size_t>(row.part)].part = row.part;
      if (generation_ >= row.since) record(row);
    }
    record_events();
    store_field(module_, fields_.relocs, hyp.relocs.value);
    store_field(module_, fields_.nr_relocs, hyp.reloc_count);
    return {};
  }

 private:
  [[nodiscard]] KernVa address_of(const image::Section& section) const {
    return KernVa{module_.sections[section.index].address};
  }

  /// Non-empty sections; event ids follow the events, not their own size, on 6.6.
  void record(const HypPartRow& row) {
    const auto section = module_.file.elf().find_section(row.section);
    HypRange& range = module_.hyp.parts[static_cast<std::size_t>(row.part)];
    if (!section) return;
    const bool by_events =
        row.part == HypPart::event_ids && generation_ == pkvm::Generation::android15_6_6;
    if (by_events ? !has_events() : section->header.size == 0) return;
    range.start = address_of(*section);
    range.end = range.start + section->header.size;
    store_range(module_, fields_.part[static_cast<std::size_t>(row.part)], range.start, range.end);
  }

  [[nodiscard]] bool has_events() const {
    return module_.file.elf().find_section("_hyp_events").has_value();
  }

  void record_events() {
    const auto events = module_.file.elf().find_section("_hyp_events");
    const auto ids = module_.file.elf().find_section(".hyp.event_ids");
    const bool any_ids = ids && ids->header.size != 0;
    const bool is_6_6 = generation_ == pkvm::Generation::android15_6_6;
    const bool is_6_12 = generation_ == pkvm::Generation::android16_6_12;
    const bool any_events = events && events->header.size != 0;
    if ((is_6_6 && events && !ids) || (is_6_12 && any_events && !any_ids)) {
      warn(services_, module_, "hyp events without .hyp.event_ids");
      return;
    }
    if (is_6_6 && !events && any_ids) {
      warn(services_, module_, ".hyp.event_ids without hyp events");
      return;
    }
    store_table(events, hyp_event_size, fields_.hyp_events, fields_.nr_hyp_events);
    const auto formats = module_.file.elf().find_section(".hyp.printk_fmts");
    store_table(formats, printk_fmt_size, fields_.printk_fmts, fields_.nr_printk_fmts);
    if (any_events && any_ids && (is_6_6 || is_6_12)) number_events(*events, *ids);
    if (is_6_12 && formats && kind_is_loaded(*formats)) {
      module_.hyp.printk_formats = address_of(*formats);
      module_.hyp.printk_format_count =
          static_cast<std::uint32_t>(formats->header.size / printk_fmt_size);
    }
  }

  /// Ids before the pages are mapped: into the events, and into EL2's records, which are in the
  /// same order (2.8).
  void number_events(const image::Section& events, const image::Section& ids) {
    if (!kind_is_loaded(events) || !kind_is_loaded(ids)) return;
    HypImage& hyp = module_.hyp;
    hyp.events = address_of(events);
    const std::uint64_t count =
        std::min(events.header.size / hyp_event_size, ids.header.size / event_id_size);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto event = module_.bytes_at(hyp.events + (i * hyp_event_size), hyp_event_size);
      const auto id = module_.bytes_at(address_of(ids) + (i * event_id_size), event_id_size);
      if (event.empty() || id.empty()) return;
      const auto number = static_cast<std::uint16_t>(hyp.first_event_id + i);
      const auto wide = static_cast<std::uint32_t>(number);
      __builtin_memcpy(event.data() + hyp_event_id_field, &wide, sizeof(wide));
      __builtin_memcpy(id.data(), &number, sizeof(number));
      ++hyp.event_count;
    }
  }

  void store_table(const std::optional<image::Section>& section, std::uint64_t entry_size,
                   std::uint16_t pointer, std::uint16_t count) {
    if (!section || !kind_is_loaded(*section)) return;
    store_field(module_, pointer, address_of(*section).value);
    store_field(module_, count, static_cast<std::uint32_t>(section->header.size / entry_size));
  }

  [[nodiscard]] bool kind_is_loaded(const image::Section& section) const {
    return module_.sections[section.index].address != 0;
  }

  KernelServices& services_;
  const ArchHypFields& fields_;
  pkvm::Generation generation_;
  Module& module_;
};

}  // namespace

Loaded<void> discover_hyp(KernelServices& services, pkvm::Generation generation, Module& module) {
  return Discovery(services, generation, module).run();
}

Loaded<std::uint64_t> locate_arch_hyp(pkvm::Generation generation, Module& module) {
  if (module.hyp.struct_offset) return *module.hyp.struct_offset;
  const std::uint64_t init_field = pkvm::info(generation).module.hyp_init;
  const HypRange& text = module.hyp.parts[static_cast<std::size_t>(HypPart::text)];
  const auto own = module.this_module_bytes();
  std::uint64_t found = 0;
  std::uint64_t count = 0;
  for (std::uint64_t at = init_field; at + word_size <= own.size(); at += word_size) {
    const KernVa word{load<std::uint64_t>(own.subspan(at))};
    if (word < text.start || word >= text.end) continue;
    ++count;
    found = at - init_field;
  }
  if (count == 1) {
    module.hyp.struct_offset = found;
    return found;
  }
  LoadError error;
  error.problem = Problem::no_init_word;
  error.step = Step::section_check;
  error.status = negated(Errno::einval);
  error.found = count;
  return std::unexpected(error);
}

KernVa read_hyp_init(pkvm::Generation generation, const Module& module) {
  const std::uint64_t offset =
      module.hyp.struct_offset.value_or(0) + pkvm::info(generation).module.hyp_init;
  const auto own = module.this_module_bytes();
  if (offset > own.size() || word_size > own.size() - offset) return KernVa{};
  return KernVa{load<std::uint64_t>(own.subspan(offset))};
}

void store_hyp_range(pkvm::Generation generation, Module& module) {
  const ArchHypFields& fields = arch_hyp(generation);
  // For a foreign layout this is the first moment at which the place is known.
  for (const HypRange& range : module.hyp.parts)
    store_range(module, fields.part[static_cast<std::size_t>(range.part)], range.start, range.end);
  store_range(module, fields.sections, module.hyp.start, module.hyp.end);
  store_field(module, fields.token, module.hyp.token.value);
}

std::array<HypRange, hyp_part_count> sorted_parts(const HypImage& hyp) {
  auto parts = hyp.parts;
  for (std::size_t i = 1; i < parts.size(); ++i)
    for (std::size_t n = i; n > 0 && parts[n].start < parts[n - 1].start; --n)
      std::swap(parts[n], parts[n - 1]);
  return parts;
}

std::uint32_t apply_hyp_relocs(KernelServices& services, const Module& module) {
  const HypImage& hyp = module.hyp;
  std::uint32_t outside = 0;
  for (std::uint32_t i = 0; i < hyp.reloc_count; ++i) {
    const KernVa element = hyp.relocs + i * reloc_size;
    const auto bytes = module.bytes_at(element, reloc_size);
    if (bytes.empty()) return hyp.reloc_count - i + outside;
    const auto distance = static_cast<std::int64_t>(load<std::int32_t>(bytes));
    const KernVa place = element + static_cast<std::uint64_t>(distance);
    const auto slot = module.bytes_at(place, word_size);
    if (slot.empty()) {
      ++outside;
      continue;
    }
    // Slots lie in read-only data and code too, which are protected by now.
    services.store_word(place, load<std::uint64_t>(slot) - hyp.start.value + hyp.token.value);
  }
  return outside;
}

}  // namespace pkvmemu::kmod
