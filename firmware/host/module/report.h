// SPDX-License-Identifier: GPL-2.0-only
// How a load is told: event records, the kernel log's line, and the words of its outcome.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "host/module/load_error.h"
#include "host/module/module.h"
#include "host/module/services.h"
#include "image/text.h"
#include "pkvm/event.h"

namespace pkvmemu::kmod {

/// Fills a record: Event(kind).name("hello").value(0, 1).record().
class Event {
 public:
  explicit Event(pkvm::event::Kind kind) { record_.kind = kind; }

  Event& name(std::string_view text) { return put(record_.name, text); }
  Event& text(std::string_view text) { return put(record_.text, text); }
  Event& value(std::size_t index, std::uint64_t value) {
    record_.value[index] = value;
    return *this;
  }
  Event& signed_value(std::size_t index, std::int64_t number) {
    return value(index, static_cast<std::uint64_t>(number));
  }
  [[nodiscard]] const pkvm::event::Record& record() const { return record_; }

 private:
  template <std::size_t Size>
  Event& put(char (&field)[Size], std::string_view text) {
    const std::string_view kept = image::head(text, Size - 1);
    for (std::size_t i = 0; i < Size; ++i)
      field[i] = i < kept.size() ? kept[i] : '\0';
    return *this;
  }

  pkvm::event::Record record_{};
};

/// Where its sections lie, for whoever watches its code.
void report_places(KernelServices& services, const Module& module);

/// Why the load failed, as a verdict says it: what init returned, and the cause behind that where
/// it is known ("init returned -95 (EOPNOTSUPP): the host has already been deprivileged").
std::string_view describe_load(const LoadError& error, int init_result, std::span<char> buffer);

/// The kernel log's line for a file that could not be linked: "hello: already loaded".
class ModuleMessage {
 public:
  ModuleMessage(std::string_view module, const LoadError& error);
  [[nodiscard]] std::string_view text() const { return {text_.data(), length_}; }

 private:
  std::array<char, 256> text_{};
  std::size_t length_ = 0;
};

}  // namespace pkvmemu::kmod
