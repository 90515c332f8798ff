// SPDX-License-Identifier: GPL-2.0-only
// One piece of work for each of many files, in forked children, so that a crash or a hang costs one
// file and is told with its name.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pkvmemu::test {

/// What is wrong with a file; nothing when all is well.
using Complaints = std::vector<std::string>;
using Work = std::function<Complaints(const std::filesystem::path&)>;

/// Far more than any file takes under any sanitizer.
inline constexpr std::chrono::seconds hang_limit{120};

/// All complaints, "name.ko: what", sorted; crashes, exceptions and hangs among them.
Complaints each_in_child(std::span<const std::filesystem::path> files, const Work& work,
                         std::chrono::seconds limit = hang_limit);

/// The first few, for a message.
std::string first_of(const Complaints& complaints);

}  // namespace pkvmemu::test
