// SPDX-License-Identifier: GPL-2.0-only
// Looks at a module's file and says what its author needs to know before any run. A pure function
// of the file and of what the modules that it depends on export.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "code/disassembler.h"
#include "image/ko.h"
#include "inspect/facts.h"

namespace pkvmemu::inspect {

/// A module that this one depends on, as far as it was looked at.
struct Dependency {
  std::string name;
  std::vector<std::string> exports;
  /// Those of them that are at the very first byte of its .hyp.text.
  std::vector<std::string> first_of_text = {};
};

Facts inspect(const image::KoFile& file, image::ByteView bytes,
              std::span<const Dependency> dependencies, const code::Disassembler& disassembler);

/// What a module exports to others.
Dependency dependency_of(std::string name, const image::KoFile& file);
/// The names of it.
std::vector<std::string> exports_of(const image::KoFile& file);

/// "a,b" -> a, b; '-' becomes '_'.
std::vector<std::string> split_names(std::string_view list);

}  // namespace pkvmemu::inspect
