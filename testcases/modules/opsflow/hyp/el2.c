// SPDX-License-Identifier: GPL-2.0-only
// One operation for each way to its slot: what `inspect` has to find in the compiled code.
#include "../handler.h"

#include <asm/kvm_pkvm_module.h>
#include <linux/errno.h>
#include <linux/version.h>

static struct {
	u64 other;
	const struct pkvm_module_ops *ops;
} state;

static unsigned long (*copied)(unsigned long address);

/* The pointer as second argument. */
static noinline void by_argument(u64 value, const struct pkvm_module_ops *ops)
{
	ops->putx64(value);
}

/* The pointer as a result. */
static noinline const struct pkvm_module_ops *the_ops(void)
{
	asm volatile("" ::: "memory");
	return state.ops;
}

/* Spilled to the stack and read back. */
static noinline void by_stack(const struct pkvm_module_ops *ops)
{
	const struct pkvm_module_ops *volatile spilled = ops;

	spilled->fixmap_unmap();
}

/* On one of two ways only. */
static noinline void by_join(const struct pkvm_module_ops *ops, u64 which)
{
	const struct pkvm_module_ops *own = which ? ops : state.ops;

	own->flush_dcache_to_poc(0, which);
}

/* A place that a kernel patches when the CPU has capability 33 (LSE atomics in android15-6.6). */
static void patched(void)
{
	asm volatile("661: nop\n"
		     "662:\n"
		     ".pushsection .altinstructions, \"a\"\n"
		     ".word 661b - .\n"
		     ".word 663f - .\n"
		     ".hword 33\n"
		     ".byte 662b - 661b\n"
		     ".byte 664f - 663f\n"
		     ".popsection\n"
		     ".subsection 1\n"
		     "663: isb\n"
		     "664:\n"
		     ".previous\n");
}

void opsflow_hvc(handler_regs *regs)
{
	/* From a member of a static structure. */
	u64 result = state.ops->hyp_pa(regs);

	result += (u64)the_ops()->hyp_va(result);
	/* Through a copy of the slot. */
	result += copied(result);
	by_argument(result, state.ops);
	by_stack(state.ops);
	by_join(state.ops, result);
	patched();
	state.ops->linear_map_early(result, 0, 0);
#if !KMI_HANDLER_TAKES_CONTEXT
	/* Not in android14. */
	state.ops->iommu_snapshot_host_stage2(0);
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
/* Of a later release than the baseline: called where it is there. */
static noinline void by_release(const struct pkvm_module_ops *ops)
{
	phys_addr_t phys;

	if (ops->guest_stage2_pa)
		ops->guest_stage2_pa(0x1000, 0, &phys);
}
#else
static void by_release(const struct pkvm_module_ops *ops)
{
}
#endif

int opsflow_hyp_init(const struct pkvm_module_ops *ops)
{
	/* Looked at, never called. */
	if (!ops->memset)
		return -EINVAL;
	state.ops = ops;
	copied = ops->kern_hyp_va;
	by_release(ops);
	/* A tail call. */
	return ops->host_share_hyp(0);
}
