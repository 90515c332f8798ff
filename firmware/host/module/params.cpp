// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/params.h"

#include <array>

#include "host/module/arguments.h"
#include "image/text.h"

namespace pkvmemu::kmod {
namespace {

std::optional<KernVa> find_record(const Module& module, std::string_view name) {
  const auto section = module.file.elf().find_section("__param");
  if (!section || section->index >= module.sections.size()) return std::nullopt;
  const PlacedSection& placed = module.sections[section->index];
  for (std::size_t at = 0; placed.bytes.size() - at >= sizeof(ParamRecord);
       at += sizeof(ParamRecord)) {
    ParamRecord record{};
    __builtin_memcpy(&record, placed.bytes.data() + at, sizeof(record));
    if (same_parameter_name(module.text_at(KernVa{record.name}), name))
      return KernVa{placed.address + at};
  }
  return std::nullopt;
}

LoadError refused(const Argument& argument, int status) {
  LoadError error;
  error.problem =
      status == negated(Errno::enospc) ? Problem::parameter_too_large : Problem::invalid_parameter;
  error.step = Step::parameters;
  error.status = status;
  error.name = argument.name;
  error.other = argument.value.value_or("");
  return error;
}

int set(KernelServices& services, KernVa record, const Argument& argument) {
  if (!argument.value) return services.set_parameter(record, nullptr);
  if (argument.value->size() > parameter_value_limit) return negated(Errno::enospc);
  std::array<char, parameter_value_limit + 1> text{};
  __builtin_memcpy(text.data(), argument.value->data(), argument.value->size());
  return services.set_parameter(record, text.data());
}

}  // namespace

Loaded<void> set_parameters(KernelServices& services, const Module& module,
                            std::string_view arguments) {
  while (const auto argument = take_argument(arguments)) {
    if (argument->word == "--") break;
    const auto record = find_record(module, argument->name);
    if (!record) {
      image::Line<160> line;
      line.put(module.name());
      line.put(": unknown parameter '");
      line.put(argument->name);
      line.put("' ignored");
      services.message(line.written());
      continue;
    }
    const int status = set(services, *record, *argument);
    if (status != 0) return std::unexpected(refused(*argument, status));
  }
  return {};
}

}  // namespace pkvmemu::kmod
