// SPDX-License-Identifier: GPL-2.0-only
// All registers by name: for comparing machines, and for people.
#include <array>

#include "cpu/cpu.h"
#include "cpu/engine.h"

namespace pkvmemu::cpu {
namespace {

struct EngineRow {
  std::string_view name;
  uc_arm64_reg id;
};
constexpr std::array engine_rows{
    EngineRow{"pc", UC_ARM64_REG_PC},           EngineRow{"sp", UC_ARM64_REG_SP},
    EngineRow{"pstate", UC_ARM64_REG_PSTATE},   EngineRow{"sp_el0", UC_ARM64_REG_SP_EL0},
    EngineRow{"sp_el1", UC_ARM64_REG_SP_EL1},   EngineRow{"sp_el2", UC_ARM64_REG_SP_EL2},
    EngineRow{"elr_el1", UC_ARM64_REG_ELR_EL1}, EngineRow{"elr_el2", UC_ARM64_REG_ELR_EL2},
    EngineRow{"esr_el1", UC_ARM64_REG_ESR_EL1}, EngineRow{"esr_el2", UC_ARM64_REG_ESR_EL2},
    EngineRow{"far_el1", UC_ARM64_REG_FAR_EL1}, EngineRow{"far_el2", UC_ARM64_REG_FAR_EL2},
    EngineRow{"fpcr", UC_ARM64_REG_FPCR},       EngineRow{"fpsr", UC_ARM64_REG_FPSR},
};

struct SystemRow {
  std::string_view name;
  SysReg id;
};
// Arm ARM D18; what firmware and kernels keep state in.
constexpr std::array system_rows{
    SystemRow{"sctlr_el1", reg::sctlr_el1},
    SystemRow{"actlr_el1", sys_reg(3, 0, 1, 0, 1)},
    SystemRow{"cpacr_el1", reg::cpacr_el1},
    SystemRow{"ttbr0_el1", reg::ttbr0_el1},
    SystemRow{"ttbr1_el1", reg::ttbr1_el1},
    SystemRow{"tcr_el1", reg::tcr_el1},
    SystemRow{"spsr_el1", reg::spsr_el1},
    SystemRow{"afsr0_el1", sys_reg(3, 0, 5, 1, 0)},
    SystemRow{"afsr1_el1", sys_reg(3, 0, 5, 1, 1)},
    SystemRow{"par_el1", reg::par_el1},
    SystemRow{"mair_el1", reg::mair_el1},
    SystemRow{"amair_el1", sys_reg(3, 0, 10, 3, 0)},
    SystemRow{"vbar_el1", sys_reg(3, 0, 12, 0, 0)},
    SystemRow{"contextidr_el1", sys_reg(3, 0, 13, 0, 1)},
    SystemRow{"tpidr_el1", sys_reg(3, 0, 13, 0, 4)},
    SystemRow{"cntkctl_el1", reg::cntkctl_el1},
    SystemRow{"csselr_el1", sys_reg(3, 2, 0, 0, 0)},
    SystemRow{"mdscr_el1", sys_reg(2, 0, 0, 2, 2)},
    SystemRow{"apiakeylo_el1", sys_reg(3, 0, 2, 1, 0)},
    SystemRow{"apiakeyhi_el1", sys_reg(3, 0, 2, 1, 1)},
    SystemRow{"apgakeylo_el1", sys_reg(3, 0, 2, 3, 0)},
    SystemRow{"apgakeyhi_el1", sys_reg(3, 0, 2, 3, 1)},
    SystemRow{"tpidr_el0", sys_reg(3, 3, 13, 0, 2)},
    SystemRow{"tpidrro_el0", sys_reg(3, 3, 13, 0, 3)},
    SystemRow{"pmuserenr_el0", reg::pmuserenr_el0},
    SystemRow{"vpidr_el2", sys_reg(3, 4, 0, 0, 0)},
    SystemRow{"vmpidr_el2", sys_reg(3, 4, 0, 0, 5)},
    SystemRow{"sctlr_el2", reg::sctlr_el2},
    SystemRow{"actlr_el2", sys_reg(3, 4, 1, 0, 1)},
    SystemRow{"hcr_el2", reg::hcr_el2},
    SystemRow{"mdcr_el2", reg::mdcr_el2},
    SystemRow{"cptr_el2", sys_reg(3, 4, 1, 1, 2)},
    SystemRow{"hstr_el2", sys_reg(3, 4, 1, 1, 3)},
    SystemRow{"ttbr0_el2", reg::ttbr0_el2},
    SystemRow{"tcr_el2", reg::tcr_el2},
    SystemRow{"vttbr_el2", reg::vttbr_el2},
    SystemRow{"vtcr_el2", reg::vtcr_el2},
    SystemRow{"spsr_el2", reg::spsr_el2},
    SystemRow{"hpfar_el2", reg::hpfar_el2},
    SystemRow{"mair_el2", reg::mair_el2},
    SystemRow{"vbar_el2", sys_reg(3, 4, 12, 0, 0)},
    SystemRow{"tpidr_el2", sys_reg(3, 4, 13, 0, 2)},
    SystemRow{"cntvoff_el2", reg::cntvoff_el2},
    SystemRow{"cnthctl_el2", reg::cnthctl_el2},
    SystemRow{"scr_el3", reg::scr_el3},
};

constexpr unsigned general_registers = 31;
constexpr unsigned vector_registers = 32;

}  // namespace

std::vector<NamedRegister> Cpu::registers() const {
  std::vector<NamedRegister> all;
  for (unsigned n = 0; n < general_registers; ++n)
    all.push_back({fmt::format("x{}", n), x(n)});
  for (const EngineRow& row : engine_rows)
    all.push_back({std::string(row.name), engine_->get(row.id)});
  for (const SystemRow& row : system_rows)
    all.push_back({std::string(row.name), engine_->get(row.id)});
  for (unsigned n = 0; n < vector_registers; ++n) {
    std::array<std::uint64_t, 2> halves{};
    Engine::check(uc_reg_read(engine_->raw(), static_cast<int>(UC_ARM64_REG_V0 + n), &halves));
    all.push_back({fmt::format("v{}.low", n), halves[0]});
    all.push_back({fmt::format("v{}.high", n), halves[1]});
  }
  return all;
}

}  // namespace pkvmemu::cpu
