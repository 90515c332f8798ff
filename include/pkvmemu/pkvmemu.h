// SPDX-License-Identifier: GPL-2.0-only
// pkvm-emu's C++ interface in one header; matchers for GoogleMock are in pkvmemu/gmock.h.
#pragma once

#include "pkvmemu/emulator.h"
#include "pkvmemu/error.h"
#include "pkvmemu/results.h"
#include "pkvmemu/types.h"
