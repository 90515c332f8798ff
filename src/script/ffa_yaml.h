// SPDX-License-Identifier: GPL-2.0-only
// `ffa:` of an EL3 script: a version, or a map of what else there is to say.
#pragma once

#include <string>

#include "device/script.h"
#include "support/result.h"
#include "yaml/reader.h"

namespace pkvmemu::script {

Result<device::FfaScript> parse_ffa(const std::string& file, const YAML::Node& node);

}  // namespace pkvmemu::script
