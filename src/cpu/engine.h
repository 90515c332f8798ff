// SPDX-License-Identifier: GPL-2.0-only
// The Unicorn handle with typed access to registers. Internal to src/cpu: nothing else in the
// project sees Unicorn's header. Every failure here is our misuse of the engine, so it asserts,
// except for opening it.
#pragma once

#include <unicorn/unicorn.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <memory>

#include "cpu/sys_reg.h"
#include "support/result.h"

namespace pkvmemu::cpu {

/// Registers that hold one value per exception level, by level.
inline constexpr std::array sp_by_el{UC_ARM64_REG_SP_EL0, UC_ARM64_REG_SP_EL1, UC_ARM64_REG_SP_EL2};
inline constexpr std::array elr_by_el{UC_ARM64_REG_ELR_EL0, UC_ARM64_REG_ELR_EL1,
                                      UC_ARM64_REG_ELR_EL2};
inline constexpr std::array esr_by_el{UC_ARM64_REG_ESR_EL0, UC_ARM64_REG_ESR_EL1,
                                      UC_ARM64_REG_ESR_EL2};
inline constexpr std::array far_by_el{UC_ARM64_REG_FAR_EL0, UC_ARM64_REG_FAR_EL1,
                                      UC_ARM64_REG_FAR_EL2};
inline constexpr std::array vbar_by_el{UC_ARM64_REG_VBAR_EL0, UC_ARM64_REG_VBAR_EL1,
                                       UC_ARM64_REG_VBAR_EL2};

/// Who translates addresses.
enum class TlbMode : std::uint8_t {
  ours,    ///< the virtual TLB, filled by a callback
  engine,  ///< Unicorn's own page walk: an oracle for tests
};

/// Where the CPU stands. One call of the engine for all of it: this is the way into every
/// exception.
struct EnginePosition {
  std::uint64_t pc = 0;
  std::uint64_t sp = 0;
  std::uint32_t pstate = 0;
};

class Engine {
 public:
  /// An arm64 engine of model MAX, stopping only when told to.
  static Result<Engine> open(TlbMode mode = TlbMode::ours);

  [[nodiscard]] uc_engine* raw() const { return handle_.get(); }

  /// Nothing else may be called afterwards.
  void close() noexcept { handle_.reset(); }
  /// Leaves the engine behind, for one that can no longer be closed.
  // NOLINTNEXTLINE(bugprone-unused-return-value): lost on purpose
  void abandon() noexcept { (void)handle_.release(); }

  [[nodiscard]] std::uint64_t get(uc_arm64_reg id) const {
    std::uint64_t value = 0;
    check(uc_reg_read(raw(), id, &value));
    return value;
  }
  void set(uc_arm64_reg id, std::uint64_t value) { check(uc_reg_write(raw(), id, &value)); }

  /// PSTATE in the layout of SPSR_ELx. Writing it leaves the engine's cached flags stale until the
  /// next set_sys: follow every set_pstate by one.
  [[nodiscard]] std::uint32_t pstate() const {
    return static_cast<std::uint32_t>(get(UC_ARM64_REG_PSTATE));
  }
  void set_pstate(std::uint32_t value) { check(uc_reg_write(raw(), UC_ARM64_REG_PSTATE, &value)); }

  [[nodiscard]] std::uint64_t get(SysReg id) const {
    uc_arm64_cp_reg request = request_for(id);
    check(uc_reg_read(raw(), UC_ARM64_REG_CP_REG, &request));
    return request.val;
  }
  void set(SysReg id, std::uint64_t value) {
    uc_arm64_cp_reg request = request_for(id);
    request.val = value;
    check(uc_reg_write(raw(), UC_ARM64_REG_CP_REG, &request));
  }

  [[nodiscard]] EnginePosition position() const;

  /// What an exception entry writes, in one call too.
  struct Entry {
    unsigned from_bank = 0;  ///< which SP_ELx takes the live SP
    unsigned target_el = 1;
    std::uint64_t old_sp = 0;
    std::uint64_t elr = 0;
    std::uint64_t esr = 0;
    std::uint32_t pstate = 0;
    std::uint32_t spsr = 0;
    std::uint64_t vector_offset = 0;
  };
  /// Returns the address of the vector.
  std::uint64_t enter(const Entry& entry);

  /// X0 to X30; 31 is the zero register.
  static uc_arm64_reg general(unsigned index);

  static void check(uc_err status) {
    assert(status == UC_ERR_OK && "misuse of the CPU engine");
    (void)status;
  }

 private:
  struct Close {
    void operator()(uc_engine* engine) const { uc_close(engine); }
  };

  explicit Engine(uc_engine* handle) : handle_(handle) {}
  static uc_arm64_cp_reg request_for(SysReg id) {
    return {.crn = id.crn(),
            .crm = id.crm(),
            .op0 = id.op0(),
            .op1 = id.op1(),
            .op2 = id.op2(),
            .val = 0};
  }

  std::unique_ptr<uc_engine, Close> handle_;
};

/// The engine's registers and whatever else it keeps per CPU, but for its caches.
class EngineState {
 public:
  explicit EngineState(const Engine& engine) {
    uc_context* raw = nullptr;
    Engine::check(uc_context_alloc(engine.raw(), &raw));
    context_.reset(raw);
    Engine::check(uc_context_save(engine.raw(), raw));
  }
  /// `engine` is the one that it was taken from.
  void restore(Engine& engine) const {
    Engine::check(uc_context_restore(engine.raw(), context_.get()));
  }
  [[nodiscard]] const uc_context* raw() const { return context_.get(); }

 private:
  struct Free {
    void operator()(uc_context* context) const { uc_context_free(context); }
  };
  std::unique_ptr<uc_context, Free> context_;
};

}  // namespace pkvmemu::cpu
