// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: a handler with the commonest defect, a pointer that nobody set. At EL2 that is the
// end of the whole system.
#include <asm/kvm_pkvm_module.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

struct el2fault_state {
	u64 calls;
};

static struct el2fault_state *state;

void el2fault_hvc(handler_regs *regs)
{
	struct el2fault_state *here = READ_ONCE(state);

	WRITE_ONCE(here->calls, here->calls + 1);
	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
}

int el2fault_hyp_init(const struct pkvm_module_ops *ops)
{
	/* Forgotten: state = ... */
	return 0;
}
